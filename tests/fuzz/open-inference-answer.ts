/** Fuzzes the readers of a model server's responses in the Open Inference Protocol. Reference: protobuf.js. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { readIndex, readModel, readReady } from '../../gateway/backend/open-inference/look-up-responses.ts';
import { readAnswer, readAnsweredVersion } from '../../gateway/backend/open-inference/predict-response.ts';
import { Versions } from '../../gateway/backend/open-inference/versions.ts';
import { numbersOf } from '../../gateway/domain/elements.ts';
import { stringCount } from '../../gateway/domain/strings.ts';
import { dtypeOf } from '../../gateway/tensor/datatype.ts';
import type { Parser } from './fuzz.ts';
import { checkRefusal, refusalOf } from './refusal.ts';

type Output = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly contents: Readonly<Record<string, readonly unknown[]>> | null;
};
type Raw = {
  readonly model_version: string;
  readonly outputs: readonly Output[];
  readonly raw_output_contents: Buffer[];
};

const PROTOS = fileURLToPath(new URL('../../protos', import.meta.url));
const definitions = loadSync('inference/grpc_inference_service.proto', {
  includeDirs: [PROTOS],
  keepCase: true,
  longs: Number,
  defaults: true,
});
const typeOf = (name: string) => definitions[`inference.${name}`] as MessageTypeDefinition<object, Raw>;
const inferType = typeOf('ModelInferResponse');

const TYPES = ['BOOL', 'UINT8', 'INT16', 'UINT64', 'INT64', 'FP16', 'FP32', 'FP64', 'BYTES'];
const LISTS: Readonly<Record<string, object>> = {
  BOOL: { bool_contents: [true, false] },
  UINT8: { uint_contents: [1, 255] },
  INT64: { int64_contents: [1, -1] },
  FP32: { fp32_contents: [1, 2] },
  BYTES: { bytes_contents: [Buffer.from('ab'), Buffer.alloc(0)] },
};
const WANTED = { outputs: [...TYPES, '__proto__'], elements: 1000 };
const KINDS = ['model_failed'] as const;

function seeds(): Buffer[] {
  const output = (datatype: string, more = {}) => ({ name: datatype, datatype, shape: [2], ...more });
  const named = { model_name: 'm', model_version: '7' };
  const listed = Object.entries(LISTS).map(([type, contents]) => ({ ...named, outputs: [output(type, { contents })] }));
  const raw = { ...named, outputs: [output('FP16'), output('BYTES')] };
  const strings = Buffer.from('\x01\0\0\0a\0\0\0\0', 'latin1');
  const model = { name: 'm', versions: ['1'], inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }] };
  const index = { models: [{ name: 'm', version: '1', state: 'READY', reason: 'r' }] };
  return [
    ...listed.map((one) => inferType.serialize(one)),
    inferType.serialize({ ...raw, raw_output_contents: [Buffer.alloc(4), strings] }),
    typeOf('ModelMetadataResponse').serialize(model),
    typeOf('RepositoryIndexResponse').serialize(index),
  ];
}

export const openInferenceAnswer: Parser = {
  name: 'open-inference-answer',
  seeds: async () => seeds(),
  words: [
    ...TYPES,
    '\x2a',
    '\x32\x04',
    '\x1a\x01\x02',
    '\x1a\x02\x02\x02',
    '\x12\x01',
    '__proto__',
    '\xff\xff\xff\xff\x0f',
  ],
  async check(input) {
    const answer = await readAnswer(input, WANTED).catch((thrown: unknown) => checkRefusal(thrown, KINDS));
    if (answer) checkAnswer(answer, input);
    refusalOf(() => readAnsweredVersion(input), KINDS);
    refusalOf(() => readReady(input), KINDS);
    const model = refusalOf(() => readModel(input), KINDS);
    for (const version of new Versions().read('m', model?.listed ?? [])) assert.ok(Number.isSafeInteger(version));
    for (const { reason } of refusalOf(() => readIndex(input), KINDS) ?? []) assert.ok(reason.length <= 1000);
    assert.deepEqual(Object.keys(Object.prototype), []);
  },
};

function checkAnswer({ outputs }: Awaited<ReturnType<typeof readAnswer>>, input: Uint8Array): void {
  const reference = referenceOf(input);
  let elements = 0;
  for (const [name, tensor] of outputs) {
    const count = tensor.shape.reduce((product, size) => product * size, 1);
    elements += count;
    const values = 'offsets' in tensor ? undefined : numbersOf(tensor);
    assert.equal(
      'offsets' in tensor ? stringCount(tensor) : values?.length,
      count,
      `${name} does not have the number of elements of its shape`,
    );
    const found = reference?.outputs.findLast((one) => one.name === name && dtypeOf(one.datatype) === tensor.dtype);
    if (!reference || reference.raw_output_contents.length > 0 || tensor.dtype !== 'DT_FLOAT') continue;
    for (const [index, value] of (found?.contents?.fp32_contents ?? []).entries()) {
      assert.ok(Object.is(values?.[index], value), `element ${index} is ${values?.[index]}, not ${value}`);
    }
  }
  assert.ok(elements <= WANTED.elements, `${input.length} bytes became ${elements} elements`);
}

/** What protobuf.js reads. Undefined where it refuses the bytes: it reads fields that the gateway skips. */
function referenceOf(input: Uint8Array): Raw | undefined {
  try {
    return inferType.deserialize(Buffer.from(input));
  } catch {
    return undefined;
  }
}
