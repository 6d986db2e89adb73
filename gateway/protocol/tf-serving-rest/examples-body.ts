/** The JSON body of …:classify and …:regress: `examples`, and a `context` that all of them share. */
import { StringBuilder } from '../../domain/strings.ts';
import type { StringTensor } from '../../domain/tensor.ts';
import type { JsonFormat } from '../../http/json/format.ts';
import { decodeBase64 } from '../../tensor/base64.ts';
import { JsonDecimal } from '../../tensor/exact-json.ts';
import { type Feature, serializeExample } from '../../tensor/example.ts';
import { isBase64 } from '../../tensor/from-json.ts';
import { packedMemory } from '../../tensor/packed.ts';
import {
  type Document,
  isRefused,
  MAX_DEPTH,
  type Parsed,
  parseDocument,
  type Refused,
  readDocument,
  refused,
  signatureNameOf,
} from './document.ts';
import { jsonType, shownJson } from './json-words.ts';

/** `examples`: serialized tf.Examples, one for each result. */
export type ExamplesBody = Refused | { readonly signature: string; readonly examples: StringTensor };

export const format: JsonFormat<undefined, ExamplesBody> = {
  module: import.meta.url,
  example: '{"examples": [{…}]}',
  limits: () => ({ maxDepth: MAX_DEPTH }),
  parse: parseDocument,
  read(value) {
    // A number is an integer or a decimal here: 1 and 1.0 differ.
    const document = readDocument((value as Parsed).exactly());
    if (isRefused(document)) return document;
    try {
      return { signature: signatureNameOf(document), examples: readExamples(document) };
    } catch (thrown) {
      if (thrown instanceof Mistake) return refused(thrown.message);
      throw thrown;
    }
  },
  memory: (body) => ('refused' in body ? [] : packedMemory([body.examples])),
};

class Mistake extends Error {}

function readExamples(document: Document): StringTensor {
  const context = Object.hasOwn(document, 'context') ? readExample(document.context) : new Uint8Array();
  const { examples } = document;
  if (!Object.hasOwn(document, 'examples')) {
    const what = "When method is classify, key 'examples' is expected and was not found";
    throw new Mistake(`JSON Value: ${shownJson(document)} ${what}`);
  }
  if (!Array.isArray(examples)) {
    throw new Mistake(`JSON Value: ${shownJson(document)} Expecting 'examples' value to be an list/array`);
  }
  if (examples.length === 0) {
    throw new Mistake(`JSON Value: ${shownJson(document)} 'examples' value is an empty array`);
  }
  // Protobuf messages one after the other are merged.
  const strings = new StringBuilder(examples.length);
  for (const example of examples) strings.add(Buffer.concat([context, readExample(example)]));
  return strings.tensor([examples.length]);
}

function readExample(value: unknown): Uint8Array {
  if (jsonType(value) !== 'Object') {
    throw new Mistake(`Example must be JSON object but got JSON ${jsonType(value)}`);
  }
  const features = Object.entries(value as object).map(([name, content]): [string, Feature] => {
    const elements = (Array.isArray(content) ? content : [content]).map((element) => readElement(name, element));
    const [first] = elements;
    if (elements.some(({ kind }) => kind !== first?.kind)) {
      throw new Mistake(`Unexpected element type in feature: ${name} expecting type: ${first?.kind}`);
    }
    return [name, { kind: first?.kind, values: elements.map((element) => element.value) } as Feature];
  });
  return serializeExample(features);
}

type Element = { readonly kind: NonNullable<Feature['kind']>; readonly value: number | bigint | Uint8Array };

const MAX_INT64 = 2n ** 63n - 1n;

function readElement(name: string, element: unknown): Element {
  if (typeof element === 'boolean') return { kind: 'int64', value: BigInt(element) };
  if (typeof element === 'string') return { kind: 'bytes', value: Buffer.from(element) };
  if (isBase64(element)) return { kind: 'bytes', value: readBase64(element.b64) };
  if (element instanceof JsonDecimal) return { kind: 'float', value: element.value };
  if (typeof element !== 'number' && typeof element !== 'bigint') {
    throw new Mistake(`Feature: ${name} has element with unexpected JSON type: ${jsonType(element)}`);
  }
  if (typeof element === 'number' && !Number.isSafeInteger(element)) return { kind: 'float', value: element };
  const value = BigInt(element);
  if (value > MAX_INT64) throw new Mistake(`Feature: ${name} has uint64_t element. Only int64_t is supported.`);
  return value < -MAX_INT64 - 1n ? { kind: 'float', value: Number(element) } : { kind: 'int64', value };
}

function readBase64(text: string): Uint8Array {
  try {
    return text === '' ? new Uint8Array() : decodeBase64(text, 'b64');
  } catch {
    throw new Mistake('Unable to base64 decode'); // all that decodeBase64 throws
  }
}
