/** The JSON body of …:predict: `instances` (rows) or `inputs` (columns) as tensors, or as pictures. */
import type { Instance } from '../../domain/picture.ts';
import type { Signature, Tensor, TensorInfo } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import { tooManyInstances } from '../../http/body-limits.ts';
import type { JsonFormat } from '../../http/json/format.ts';
import { DEFAULT_SIGNATURE } from '../../pipeline/signature.ts';
import { packedMemory, packTensor } from '../../tensor/packed.ts';
import { memoryOfPictures } from '../../tensor/pictures.ts';
import { haveIds, takeIds } from '../../tensor/record-id.ts';
import { memoryOfNames, packNames, type RowNames } from '../../tensor/row-names.ts';
import { type Inputs, readColumns, readRows } from '../../tensor/rows.ts';
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
import { shownJson } from './json-words.ts';
import { type Mistake, mistakeInColumns, mistakeInRows } from './mistakes.ts';
import { hasPictures, readPictures } from './pictures.ts';

export type PredictOptions = {
  /** Those of the version. Unset: there is no such model, and only the document is checked. */
  readonly signatures?: ReadonlyMap<string, Signature>;
  /** The signature whose one input takes pictures. */
  readonly pictures?: string | undefined;
  readonly maxInstances: number;
};

export type PredictBody =
  | Refused
  | { readonly kind: 'document' }
  | {
      readonly kind: 'tensors';
      readonly signature: string;
      readonly form: 'rows' | 'columns';
      /** The size of the first axis: what the answer has of each row is multiplied by it. At least 1. */
      readonly rows: number;
      readonly inputs: readonly (readonly [name: string, tensor: Tensor])[];
      /** The ids of the rows, where one has an id. */
      readonly names?: RowNames;
    }
  | { readonly kind: 'pictures'; readonly instances: readonly Instance[]; readonly names?: RowNames };

export const format: JsonFormat<PredictOptions, PredictBody> = {
  module: import.meta.url,
  example: '{"instances": […]}',
  limits: () => ({ maxDepth: MAX_DEPTH }),
  parse: parseDocument,
  read: readPredict,
  memory(body) {
    if ('refused' in body || body.kind === 'document') return [];
    const named = body.names ? memoryOfNames(body.names) : [];
    if (body.kind === 'pictures') return [...memoryOfPictures(body.instances), ...named];
    return [...packedMemory(body.inputs.map(([, tensor]) => tensor)), ...named];
  },
};

const INTEGER = /^DT_U?INT/;

/** Reads the document in TF-Serving's order: its form, the model, the signature, the values. */
function readPredict(value: unknown, options: PredictOptions): PredictBody {
  const parsed = value as Parsed;
  const document = readDocument(parsed.value);
  if (isRefused(document)) return document;
  if (!options.signatures) return { kind: 'document' };
  const name = signatureNameOf(document);
  const key = name || DEFAULT_SIGNATURE;
  const signature = options.signatures.get(key);
  if (!signature) return refused(`Serving signature name: "${key}" not found in signature def`);
  const { inputs } = signature;
  if (inputs.length === 0) return refused(`Failed to get input map for signature: ${name || 'DEFAULT'}`);
  const { instances } = document;
  const hasIntegers = inputs.some(({ dtype }) => INTEGER.test(dtype));
  const isExact = hasIntegers || (Array.isArray(instances) && haveIds(instances, signature));
  return readValues(isExact ? (parsed.exactly() as Document) : document, key, signature, options);
}

function readValues(
  document: Document,
  key: string,
  signature: Signature,
  { pictures, maxInstances }: PredictOptions,
): PredictBody {
  const { inputs } = signature;
  const hasRows = Object.hasOwn(document, 'instances');
  if (hasRows && Object.hasOwn(document, 'inputs')) {
    const what = "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist ";
    return refused(`JSON Value: ${shownJson(document)} ${what}`);
  }
  if (!hasRows) {
    if (!Object.hasOwn(document, 'inputs')) return refused("Missing 'inputs' or 'instances' key");
    const columns = known(document.inputs, inputs);
    return readTensors(
      { signature: key, form: 'columns' },
      () => mistakeInColumns(document.inputs, inputs),
      () => readColumns(columns, { inputs, outputs: [] }, 'inputs'),
    );
  }
  const { instances } = document;
  if (!Array.isArray(instances)) {
    return refused(`JSON Value: ${shownJson(document)} Expecting 'instances' to be an list/array`);
  }
  if (instances.length === 0) return refused(`JSON Value: ${shownJson(document)} No values in 'instances' array`);
  const { rows, ids } = takeIds(instances, signature, 'instances');
  const names = ids && { names: packNames(ids.map((members) => ({ isPlain: false, ids: members }))) };
  const [input] = inputs;
  if (key === pictures && input && hasPictures(rows, input)) {
    if (rows.length > maxInstances) throw tooManyInstances(maxInstances);
    return { kind: 'pictures', instances: readPictures(rows, input), ...names };
  }
  return readTensors(
    { signature: key, form: 'rows', ...names },
    () => mistakeInRows(rows, inputs),
    () => readRows(rows, { inputs, outputs: [] }, 'instances'),
  );
}

/** TF-Serving does not look at other columns. */
function known(columns: unknown, inputs: readonly TensorInfo[]): unknown {
  const names = inputs.map(({ name }) => name);
  if (typeof columns !== 'object' || columns === null || Array.isArray(columns)) return columns;
  if (!names.some((name) => Object.hasOwn(columns, name))) return columns;
  return Object.fromEntries(Object.entries(columns).filter(([name]) => names.includes(name)));
}

/** Reads the tensors. A mistake is told in TF-Serving's words, and in the gateway's where only the gateway objects. */
function readTensors(
  shown: { readonly signature: string; readonly form: 'rows' | 'columns'; readonly names?: RowNames },
  mistake: () => Mistake | undefined,
  read: () => Inputs,
): PredictBody {
  try {
    const inputs = read();
    refuseEmpty(inputs);
    const [first] = inputs.values();
    const packed = Array.from(inputs, ([name, tensor]) => [name, packTensor(tensor)] as const);
    return { kind: 'tensors', ...shown, rows: first?.shape[0] ?? 1, inputs: packed };
  } catch (thrown) {
    if (!(thrown instanceof GatewayError) || thrown.kind !== 'invalid_request') throw thrown;
    return { refused: mistake() ?? { status: thrown.status, text: thrown.message } };
  }
}

/** An empty batch is refused before it is sent: with oneDNN, TensorFlow fails on it. */
function refuseEmpty(inputs: Inputs): void {
  for (const [name, { shape }] of inputs) {
    if (shape[0] === 0) throw new GatewayError('invalid_request', `${name}: the batch is empty`);
  }
}
