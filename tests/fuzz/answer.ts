/** Fuzzes the readers of a model server's responses. Reference: protobuf.js, with the floats read one by one. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { readable } from '../../gateway/backend/grpc/readable.ts';
import { readMetadata, readStatus } from '../../gateway/backend/tf-serving/look-up-responses.ts';
import { predictionIn } from '../../gateway/backend/tf-serving/predict-response.ts';
import type { Prediction } from '../../gateway/domain/backend.ts';
import { numbersOf } from '../../gateway/domain/elements.ts';
import { atOnce } from '../../gateway/domain/steps.ts';
import { stringCount } from '../../gateway/domain/strings.ts';
import type { Tensor } from '../../gateway/domain/tensor.ts';
import type { Parser } from './fuzz.ts';
import { refusalOf } from './refusal.ts';

type Raw = { readonly outputs: Readonly<Record<string, RawTensor>> };
type RawTensor = { readonly dtype: string; readonly tensor_content: Buffer; readonly float_val: readonly number[] };

const PROTOS = fileURLToPath(new URL('../../protos', import.meta.url));
const definitions = loadSync('tensorflow_serving/apis/predict.proto', {
  includeDirs: [PROTOS],
  keepCase: true,
  enums: String,
  defaults: true,
});
const { deserialize } = definitions['tensorflow.serving.PredictResponse'] as MessageTypeDefinition<object, Raw>;

/** The outputs to read, of those in the seeds and the words. A server may omit repeated trailing values. */
const WANTED = { outputs: [...'ybczuqst', '__proto__'], elements: 1000 };

export const answer: Parser = {
  name: 'answer',
  words: [
    ...[
      '\x0a',
      '\x12',
      '\x1a',
      '\x22',
      '\x08\x01',
      '\x08\x07',
      '\x08\x09',
      '\x08\x13',
      '\x12\x04\x12\x02\x08',
      '\x18\x01',
    ],
    ...[
      '\x12\x0a\x12\x08\x08\xff\xff\xff\xff\x0f',
      '\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01',
      '__proto__',
      'signature_def',
    ],
  ],
  check(input) {
    const prediction = refusalOf(() => readable(() => atOnce(predictionIn(input, WANTED))), ['model_failed']);
    if (prediction) checkPrediction(prediction, input);
    const bytes = Buffer.from(input);
    const metadata = refusalOf(() => readMetadata(bytes), ['model_failed']);
    if (metadata) assert.ok(Number.isSafeInteger(metadata.version));
    const versions = refusalOf(() => readStatus(bytes), ['model_failed']) ?? [];
    for (const { version, error } of versions) assert.ok(Number.isSafeInteger(version) && typeof error === 'string');
    assert.deepEqual(Object.keys(Object.prototype), []);
  },
};

function checkPrediction({ version, outputs }: Prediction, input: Uint8Array): void {
  assert.ok(version === undefined || Number.isSafeInteger(version));
  const expected = referenceOf(input)?.outputs;
  let elements = 0;
  for (const [name, tensor] of outputs) {
    const count = tensor.shape.reduce((product, size) => product * size, 1);
    elements += count;
    assert.equal(
      'offsets' in tensor ? stringCount(tensor) : numbersOf(tensor).length,
      count,
      `${name} does not have the number of elements of its shape`,
    );
    if (!expected) continue;
    const raw = expected[name];
    assert.ok(raw);
    if (tensor.dtype === 'DT_FLOAT') checkFloats(tensor, raw);
  }
  assert.ok(elements <= WANTED.elements, `${input.length} bytes became ${elements} elements`);
}

/** What protobuf.js reads. Undefined where it refuses the bytes: it reads fields that the gateway skips. */
function referenceOf(input: Uint8Array): Raw | undefined {
  try {
    return deserialize(Buffer.from(input));
  } catch {
    return undefined;
  }
}

function checkFloats(tensor: Tensor, { tensor_content: content, float_val: list }: RawTensor): void {
  const values = numbersOf(tensor);
  const count = content.length > 0 ? values.length : Math.min(values.length, list.length);
  for (let index = 0; index < count; index += 1) {
    const expected = content.length > 0 ? content.readFloatLE(4 * index) : list[index];
    assert.ok(Object.is(values[index], expected), `element ${index} is ${values[index]}, not ${expected}`);
  }
}
