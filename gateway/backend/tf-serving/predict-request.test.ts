import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import fc from 'fast-check';
import type { PredictTarget } from '../../domain/backend.ts';
import { GatewayError } from '../../errors.ts';
import { createPool } from '../../tensor/pool.ts';
import { createPredictRequest as createRequest } from '../grpc/predict-request.ts';
import { PREDICT } from './backend.ts';

/** Checks and removes gRPC's prefix. */
function messageOf(framed: Buffer): Buffer {
  assert.deepEqual([framed[0], framed.readUInt32BE(1)], [0, framed.length - 5]);
  return framed.subarray(5);
}

const createPredictRequest = (target: PredictTarget, capacity: number) =>
  createRequest(PREDICT, createPool(0), target, capacity);

const PROTOS = fileURLToPath(new URL('../../../protos', import.meta.url));
const definitions = loadSync('tensorflow_serving/apis/predict.proto', {
  includeDirs: [PROTOS],
  keepCase: true,
  enums: String,
  longs: String,
});
const { serialize, deserialize } = definitions['tensorflow.serving.PredictRequest'] as MessageTypeDefinition<
  object,
  object
>;

/** The same request serialized by protobufjs. */
function expected({ servable, signature, input }: PredictTarget, count: number, content: Uint8Array): object {
  const { model, version, label } = servable;
  return deserialize(
    serialize({
      model_spec: {
        name: model,
        signature_name: signature,
        ...(version !== undefined && { version: { value: version } }),
        ...(label !== undefined && { version_label: label }),
      },
      inputs: {
        [input.name]: {
          dtype: input.dtype,
          tensor_shape: { dim: [count, ...input.shape].map((size) => ({ size })) },
          tensor_content: content,
        },
      },
    }),
  );
}

const answer = { outputs: ['y'], wantedElements: 1, elements: 1 };

const CLOTHING: PredictTarget = {
  answer,
  servable: { model: 'clothing-model' },
  signature: 'serving_default',
  input: { name: 'input_8', dtype: 'DT_FLOAT', shape: [299, 299, 3] },
};

function check(target: PredictTarget, capacity: number, count: number): void {
  const { tensor, framed } = createPredictRequest(target, capacity);
  for (let index = 0; index < tensor.length; index += 1) tensor[index] = (index * 7) % 251;
  const sent = tensor.subarray(0, (tensor.length / capacity) * count);
  const content = new Uint8Array(sent.buffer, sent.byteOffset, sent.byteLength);
  assert.deepEqual(deserialize(messageOf(framed(count))), expected(target, count, content));
}

test('an image request equals what protobufjs makes', () => {
  check(CLOTHING, 2, 1);
  check(CLOTHING, 2, 2);
});

test('lengths and counts at the limits of a varint', () => {
  for (const size of [0, 1, 127, 128, 129, 16_383, 16_384, 16_385, 2_097_151, 2_097_152]) {
    if (size > 0) check({ ...CLOTHING, input: { name: 'x', dtype: 'DT_UINT8', shape: [size] } }, 1, 1);
    if (size > 0) check({ ...CLOTHING, input: { name: 'x', dtype: 'DT_UINT8', shape: [] } }, size, size);
    if (size < 20_000) check({ ...CLOTHING, input: { name: 'n'.repeat(size), dtype: 'DT_FLOAT', shape: [1] } }, 1, 1);
    check({ ...CLOTHING, servable: { model: 'm', version: size }, input: { ...CLOTHING.input, shape: [1] } }, 1, 1);
  }
});

test('any names, versions, shapes and counts equal what protobufjs makes', () => {
  const name = fc.string({ unit: 'binary', maxLength: 300 }).filter((text) => text.isWellFormed());
  const version = fc.oneof(fc.constantFrom(0, 127, 128, 2 ** 32, 2 ** 53 - 1), fc.maxSafeNat());
  const servable = fc.oneof(
    fc.record({ model: name }),
    fc.record({ model: name, version }),
    fc.record({ model: name, label: name.filter((text) => text !== '') }),
  );
  const input = fc.record({
    name: name.filter((text) => text !== '__proto__'),
    dtype: fc.constantFrom('DT_FLOAT' as const, 'DT_UINT8' as const),
    shape: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }),
  });
  const target = fc.record({ servable, signature: name, input, answer: fc.constant(answer) });
  const counts = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat()).map(([capacity, pick]) => ({
    capacity,
    count: 1 + (pick % capacity),
  }));
  fc.assert(fc.property(target, counts, (made, { capacity, count }) => check(made, capacity, count)));
});

test('a request can be sent again with another count', () => {
  const target: PredictTarget = { ...CLOTHING, input: { name: 'x', dtype: 'DT_FLOAT', shape: [2] } };
  const { tensor, framed } = createPredictRequest(target, 200);
  tensor.set([1, 2, 3, 4]);
  for (const count of [200, 2, 128, 1]) {
    const content = new Uint8Array(tensor.buffer, tensor.byteOffset, count * 8);
    assert.deepEqual(deserialize(messageOf(framed(count))), expected(target, count, content));
  }
});

test('the tensor is sent from where it was written, with nothing after it', () => {
  const { tensor, framed } = createPredictRequest(CLOTHING, 3);
  const message = messageOf(framed(2));
  assert.equal(message.buffer, tensor.buffer);
  assert.equal(message.byteOffset + message.length, tensor.byteOffset + 2 * 299 * 299 * 3 * 4);
  assert.equal(tensor.byteOffset % 4, 0);
});

test('a count outside the capacity throws RangeError', () => {
  const { framed } = createPredictRequest(CLOTHING, 2);
  for (const count of [0, 3, -1, 1.5, Number.NaN]) assert.throws(() => framed(count), RangeError);
});

test('an impossible version is refused', () => {
  for (const version of [-1, 1.5, 2 ** 53, Number.NaN]) {
    const target = { ...CLOTHING, servable: { model: 'm', version } };
    assert.throws(
      () => createPredictRequest(target, 1),
      (error) => error instanceof GatewayError && error.kind === 'invalid_request' && /^version: /.test(error.message),
    );
  }
});

const ENCODED: PredictTarget = {
  answer,
  servable: { model: 'm', version: 3 },
  signature: 'serving_default',
  input: { name: 'bytes', dtype: 'DT_STRING', shape: [] },
};

function stringsOf(framed: Buffer): { count: unknown; strings: string[] } {
  const { inputs } = deserialize(messageOf(framed)) as {
    inputs: { bytes: { dtype: string; tensor_shape: { dim: { size: unknown }[] }; string_val: Buffer[] } };
  };
  const { dtype, tensor_shape, string_val } = inputs.bytes;
  assert.equal(dtype, 'DT_STRING');
  return { count: tensor_shape.dim.map(({ size }) => size), strings: string_val.map(String) };
}

test('F26: encoded pictures are the strings of a DT_STRING input, in the order of their rows', () => {
  const request = createPredictRequest(ENCODED, 3);
  request.setString(0, Buffer.from('first'));
  request.setString(1, Buffer.from('second'.repeat(100)));
  assert.equal(request.inputBytes(2), 605);
  assert.deepEqual(stringsOf(request.framed(2)), { count: ['2'], strings: ['first', 'second'.repeat(100)] });
  const single = createPredictRequest(ENCODED, 1);
  single.copyFrom(request, 1);
  assert.deepEqual(stringsOf(single.framed(1)).strings, ['second'.repeat(100)]);
  assert.throws(() => request.tensor, RangeError);
  assert.throws(() => createPredictRequest(CLOTHING, 1).setString(0, Buffer.from('x')), RangeError);
});

test('F26: encoded pictures above the message limit are refused', () => {
  const request = createPredictRequest(ENCODED, 64);
  const picture = Buffer.alloc(2 ** 24);
  for (let row = 0; row < 64; row += 1) request.setString(row, picture);
  assert.throws(() => request.framed(64), { kind: 'body_too_large' });
});

test('the machine is little-endian, as the wire format requires', () => {
  assert.equal(endianness(), 'LE');
});
