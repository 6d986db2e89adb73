/** Fuzzes the readers of requests over gRPC, of both protocols. Reference: protobuf.js. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { bytesOf, HEAD_ROOM, type RoomyMessage } from '../../gateway/domain/roomy-message.ts';
import type { Kind } from '../../gateway/errors.ts';
import { servableOf } from '../../gateway/open-inference/models.ts';
import { readInfer, withoutServable } from '../../gateway/protocol/open-inference-grpc/message.ts';
import { checkBody, readBody } from '../../gateway/protocol/open-inference-grpc/request.ts';
import { readMetadataRequest, readRelayed, readStatusRequest } from '../../gateway/protocol/tf-serving-grpc/request.ts';
import { readTensors } from '../../gateway/protocol/tf-serving-grpc/tensors.ts';
import { FieldReader, LENGTH_DELIMITED } from '../../gateway/tensor/field-reader.ts';
import { checkTensor, DATATYPES, routed } from './every-datatype.ts';
import type { Parser } from './fuzz.ts';
import { checkRefusal, refusalOf } from './refusal.ts';

const PROTOS = fileURLToPath(new URL('../../protos', import.meta.url));
const FILES = ['inference/grpc_inference_service.proto', 'tensorflow_serving/apis/predict.proto'];
const definitions = loadSync(FILES, {
  includeDirs: [PROTOS],
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
});
type Predict = { readonly inputs: object; readonly output_filter: readonly string[] };
const inferType = definitions['inference.ModelInferRequest'] as MessageTypeDefinition<object, object>;
const predictType = definitions['tensorflow.serving.PredictRequest'] as MessageTypeDefinition<object, Predict>;

const KINDS: readonly Kind[] = ['invalid_request', 'invalid_tensor'];

const LISTS = {
  BOOL: { bool_contents: [true, false] },
  UINT8: { uint_contents: [1, 255] },
  INT16: { int_contents: [-1, 256] },
  INT64: { int64_contents: ['9007199254740993', '-1'] },
  UINT64: { uint64_contents: ['18446744073709551615', '1'] },
  FP32: { fp32_contents: [1, 2] },
  FP64: { fp64_contents: [1, 2] },
  BYTES: { bytes_contents: [Buffer.from('ab'), Buffer.alloc(0)] },
};

function inferSeeds(): Buffer[] {
  const one = (datatype: string, more: object) => ({
    model_name: 'm',
    model_version: '1',
    id: 'i',
    parameters: { signature_name: { string_param: datatype } },
    inputs: [{ name: datatype, datatype, shape: [2], ...more }],
  });
  const listed = Object.entries(LISTS).map(([datatype, contents]) => one(datatype, { contents }));
  const raw = [
    { ...one('FP16', {}), raw_input_contents: [Buffer.alloc(4)] },
    { ...one('BYTES', {}), raw_input_contents: [Buffer.from('\x01\0\0\0a\0\0\0\0', 'latin1')] },
  ];
  return [...listed, ...raw].map((message) => inferType.serialize(message));
}

function predictSeeds(): Buffer[] {
  const tensor = { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: 2 }] }, float_val: [1, 2] };
  const spec = { name: 'm', version: { value: 1 }, signature_name: 's' };
  const message = { model_spec: spec, inputs: { x: tensor }, output_filter: ['y'] };
  const behind = Buffer.concat([
    predictType.serialize({ inputs: { x: tensor } }),
    predictType.serialize({ model_spec: spec }),
  ]);
  return [predictType.serialize(message), behind];
}

export const grpc: Parser = {
  name: 'grpc',
  seeds: async () => [...inferSeeds(), ...predictSeeds()],
  words: [
    ...[
      '\x0a\x01m',
      '\x12\x01',
      '\x1a\x01\x02',
      '\x1a\x02\x02\x02',
      '\x22',
      '\x2a',
      '\x32',
      '\x3a\x04',
      '\x0d',
      '\x38\x01',
    ],
    ...['\x12\x02\x08\x02', '\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01', '\x80\x80\x80\x80\x10', ...DATATYPES],
    ...['signature_name', 'shared_memory_region', '__proto__', '\x0a\x05\x0a\x01m\x12\x00'],
  ],
  async check(input) {
    await checkInfer(input);
    checkPredict(input);
    await checkConverted(input);
    for (const read of [readMetadataRequest, readStatusRequest]) refusalOf(() => read(roomy(input)), KINDS);
    for (const method of ['Classify', 'Regress'] as const) refusalOf(() => readRelayed(roomy(input), method), KINDS);
    assert.deepEqual(Object.keys(Object.prototype), []);
  },
};

function roomy(input: Uint8Array): RoomyMessage {
  const memory = new ArrayBuffer(HEAD_ROOM + input.length);
  new Uint8Array(memory).set(input, HEAD_ROOM);
  return { memory, start: HEAD_ROOM, end: memory.byteLength };
}

async function checkInfer(input: Uint8Array): Promise<void> {
  const message = refusalOf(() => readInfer(roomy(input)), KINDS);
  if (!message) return;
  refusalOf(() => servableOf(message), KINDS);
  const reference = decoded(inferType, input) as
    | { model_name: string; inputs: object[]; raw_input_contents: object[] }
    | undefined;
  if (reference) {
    assert.equal(message.model, reference.model_name);
    assert.equal(message.inputs.length, reference.inputs.length);
    assert.equal(message.raw.length, reference.raw_input_contents.length);
  }
  const body = await readBody(message, routed).catch((thrown: unknown) => checkRefusal(thrown, KINDS));
  if (body?.kind === 'tensors') for (const [name, tensor] of body.inputs) checkTensor(name, tensor);
  const passed = await checkBody(message, routed).catch((thrown: unknown) => checkRefusal(thrown, KINDS));
  if (passed) checkPassed(input);
}

/** The request without its servable has all other fields as they were. */
function checkPassed(input: Uint8Array): void {
  const rest = refusalOf(() => withoutServable(roomy(input)), KINDS);
  const before = rest && hasWireTypes(input) ? decoded(inferType, input) : undefined;
  if (!rest || !before) return;
  const after = inferType.deserialize(Buffer.from(bytesOf(rest)));
  assert.deepEqual(after, { ...before, model_name: '', model_version: '' });
}

/** The request without its model_spec has all other fields as they were. */
function checkPredict(input: Uint8Array): void {
  const message = refusalOf(() => readRelayed(roomy(input), 'Predict'), KINDS);
  if (!message) return;
  assert.ok(message.rows >= 1 && message.rows <= Math.max(1, input.length));
  assert.ok(message.rest.start >= HEAD_ROOM);
  const before = hasWireTypes(input) ? decoded(predictType, input) : undefined;
  if (!before) return;
  const after = predictType.deserialize(Buffer.from(bytesOf(message.rest)));
  assert.deepEqual([after.inputs, after.output_filter], [before.inputs, before.output_filter]);
}

/** The tensors of a PredictRequest that is converted are those of the signature. */
async function checkConverted(input: Uint8Array): Promise<void> {
  const message = refusalOf(() => readRelayed(roomy(input), 'Predict'), KINDS);
  if (!message) return;
  const signature = { inputs: [{ name: 'x', dtype: 'DT_FLOAT', shape: [-1] }], outputs: [] };
  const tensors = await readTensors(message.rest, signature).catch((thrown: unknown) => checkRefusal(thrown, KINDS));
  for (const [name, tensor] of tensors?.inputs ?? []) checkTensor(name, tensor);
}

/** Whether all fields are strings or messages: protobuf.js reads any wire type as that of its field. */
function hasWireTypes(input: Uint8Array): boolean {
  const at = new FieldReader(input, { fields: input.length + 1 });
  while (at.next()) if (at.wireType !== LENGTH_DELIMITED) return false;
  return true;
}

/** What protobuf.js reads. Undefined where it refuses the bytes: it reads fields that the gateway skips. */
function decoded<Message>(type: MessageTypeDefinition<object, Message>, input: Uint8Array): Message | undefined {
  try {
    return type.deserialize(Buffer.from(input));
  } catch {
    return undefined;
  }
}
