import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import fc from 'fast-check';
import type { PredictTarget, TensorsTarget } from '../../domain/backend.ts';
import { stringTensor } from '../../domain/strings.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { datatypeOf } from '../../tensor/datatype.ts';
import { createPool } from '../../tensor/pool.ts';
import { createPredictRequest } from '../grpc/predict-request.ts';
import { frameTensors } from '../grpc/tensors-request.ts';
import { createMessages } from './backend.ts';
import { Versions } from './versions.ts';

const PROTOS = fileURLToPath(new URL('../../../protos', import.meta.url));
const FILE = 'inference/grpc_inference_service.proto';
const definitions = loadSync(FILE, { includeDirs: [PROTOS], keepCase: true, longs: Number });
const { serialize, deserialize } = definitions['inference.ModelInferRequest'] as MessageTypeDefinition<object, object>;

const { predict: MESSAGES } = createMessages(new Versions());
const answer = { outputs: ['y'], wantedElements: 1, elements: 1 };
const PHOTO: PredictTarget = {
  answer,
  servable: { model: 'm', version: 3 },
  signature: 'serving_default',
  input: { name: 'image', dtype: 'DT_FLOAT', shape: [299, 299, 3] },
};

/** Checks and removes gRPC's prefix. */
function messageOf(framed: Buffer): Buffer {
  assert.deepEqual([framed[0], framed.readUInt32BE(1)], [0, framed.length - 5]);
  return framed.subarray(5);
}

/** The same request serialized by protobufjs. */
function expected({ servable, input }: PredictTarget, count: number, content: Uint8Array): object {
  const { model, version } = servable;
  const tensor = { name: input.name, datatype: datatypeOf(input.dtype), shape: [count, ...input.shape] };
  const named = { model_name: model, ...(version !== undefined && { model_version: String(version) }) };
  return deserialize(serialize({ ...named, inputs: [tensor], raw_input_contents: [content] }));
}

function check(target: PredictTarget, capacity: number, count: number): void {
  const { tensor, framed } = createPredictRequest(MESSAGES, createPool(0), target, capacity);
  for (let index = 0; index < tensor.length; index += 1) tensor[index] = (index * 7) % 251;
  const sent = tensor.subarray(0, (tensor.length / capacity) * count);
  const content = new Uint8Array(sent.buffer, sent.byteOffset, sent.byteLength);
  assert.deepEqual(deserialize(messageOf(framed(count))), expected(target, count, content));
}

test('a request for pictures equals what protobufjs makes, and is sent from where its tensor was written', () => {
  for (const count of [1, 2]) check(PHOTO, 2, count);
  const { tensor, framed } = createPredictRequest(MESSAGES, createPool(0), PHOTO, 3);
  const message = messageOf(framed(2));
  assert.equal(message.buffer, tensor.buffer);
  assert.equal(message.byteOffset + message.length, tensor.byteOffset + 2 * 299 * 299 * 3 * 4);
});

test('any names, versions, types, shapes and counts equal what protobufjs makes', () => {
  const name = fc.string({ unit: 'binary', maxLength: 300 }).filter((text) => text.isWellFormed() && text !== '');
  const version = fc.oneof(fc.constantFrom(0, 127, 128, 2 ** 32, 2 ** 53 - 1), fc.maxSafeNat());
  const servable = fc.oneof(fc.record({ model: name }), fc.record({ model: name, version }));
  const dtype = fc.constantFrom('DT_FLOAT', 'DT_HALF', 'DT_BFLOAT16', 'DT_UINT8', 'DT_INT32');
  const input = fc.record({ name, dtype, shape: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }) });
  const made = fc.record({
    servable,
    signature: fc.constant('serving_default'),
    input,
    answer: fc.constant(answer),
  });
  const counts = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat());
  const property = fc.property(made, counts, (target, [capacity, pick]) =>
    check(target as PredictTarget, capacity, 1 + (pick % capacity)),
  );
  fc.assert(property);
});

test('encoded pictures are the elements of a BYTES input, in the order of their rows', () => {
  const target: PredictTarget = { ...PHOTO, input: { name: 'bytes', dtype: 'DT_STRING', shape: [] } };
  const request = createPredictRequest(MESSAGES, createPool(0), target, 3);
  const strings = ['first', '', 'third'.repeat(100)].map((text) => Buffer.from(text));
  for (const [row, string] of strings.entries()) request.setString(row, string);
  const content = Buffer.concat(
    strings.flatMap((string) => [Buffer.of(string.length & 255, string.length >> 8, 0, 0), string]),
  );
  assert.deepEqual(deserialize(messageOf(request.framed(3))), expected(target, 3, content));
});

test('every input is sent raw with its datatype and shape, and only the wanted outputs are asked for', async () => {
  const target: TensorsTarget = {
    servable: { model: 'churn', version: 7 },
    signature: 'serving_default',
    answer: { outputs: ['churn', 'probability'], wantedElements: 2, elements: 2 },
  };
  const longs = new Uint8Array(BigInt64Array.of(-1n, 2n ** 62n).buffer);
  const inputs = new Map<string, Tensor>([
    ['tenure', { dtype: 'DT_INT64', shape: [2, 1], bytes: longs }],
    ['contract', stringTensor([2], [Buffer.from('two_year'), Buffer.of(0xff, 0)])],
    ['scale', { dtype: 'DT_HALF', shape: [], bytes: Uint8Array.of(0, 0x3c) }],
    ['nothing', { dtype: 'DT_FLOAT', shape: [0, 300], bytes: new Uint8Array() }],
  ]);
  const { framed } = await frameTensors(MESSAGES, createPool(0), target, inputs);
  const wanted = {
    model_name: 'churn',
    model_version: '7',
    inputs: [
      { name: 'tenure', datatype: 'INT64', shape: [2, 1] },
      { name: 'contract', datatype: 'BYTES', shape: [2] },
      { name: 'scale', datatype: 'FP16', shape: [] },
      { name: 'nothing', datatype: 'FP32', shape: [0, 300] },
    ],
    outputs: [{ name: 'churn' }, { name: 'probability' }],
    raw_input_contents: [
      longs,
      Buffer.concat([Buffer.of(8, 0, 0, 0), Buffer.from('two_year'), Buffer.of(2, 0, 0, 0, 0xff, 0)]),
      Buffer.of(0, 0x3c),
      Buffer.alloc(0),
    ],
  };
  assert.deepEqual(deserialize(messageOf(framed)), deserialize(serialize(wanted)));
});
