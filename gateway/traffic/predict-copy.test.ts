import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Backend } from '../domain/backend.ts';
import type { Tensor, TensorInfo } from '../domain/tensor.ts';
import { testContext } from '../domain/test-context.ts';
import { parseCard } from '../model/card.ts';
import type { Routed } from '../model/route.ts';
import { bind } from '../model/signatures.ts';
import { predictCopy, requestFor } from './predict-copy.ts';
import type { RequestCopy } from './request-copy.ts';

const CARD = parseCard('name: m\nimage: {size: [1, 1], scale: tf}\nclasses: [a, b]', '/m');
const TABLE = parseCard('name: t\nclasses: [a, b]', '/t');

type Names = { readonly input?: string; readonly output?: string; readonly dtype?: string; readonly batch?: number };

function version(
  number: number,
  { input = 'x', output = 'y', dtype = 'DT_FLOAT', batch = -1 }: Names = {},
  card = CARD,
) {
  const inputs: TensorInfo[] = [{ name: input, dtype, shape: [batch, 1, 1, 3] }];
  const outputs: TensorInfo[] = [{ name: output, dtype: 'DT_FLOAT', shape: [batch, 2] }];
  const signatures = new Map([['serving_default', { inputs, outputs }]]);
  const metadata = { version: number, protocol: 'tf-serving' as const, signatures };
  const binding = card.image ? { binding: bind(card, metadata) } : {};
  return { card, version: number, metadata, ...binding, servers: new Set(['s']), role: 'shadow' } satisfies Routed;
}

const floats = (shape: readonly number[], numbers: readonly number[]): Tensor => ({
  dtype: 'DT_FLOAT',
  shape,
  bytes: new Uint8Array(Float32Array.from(numbers).buffer),
});

function copyOf(served: Routed, rows = 1): RequestCopy {
  const tensor = floats(
    [rows, 1, 1, 3],
    Array.from({ length: 3 * rows }, (_, index) => index),
  );
  const picture = served.binding?.input.name;
  return {
    served,
    signature: 'serving_default',
    request: { kind: 'tensors', inputs: new Map([['x', tensor]]), picture },
    rows,
    instances: undefined,
    output: async () => undefined,
    release() {},
  };
}

const inputsFor = (copy: RequestCopy, other: Routed) => {
  const request = requestFor(copy, other);
  return request?.kind === 'tensors' ? [...request.inputs.keys()] : request?.kind;
};

test('pictures go to the input of the other version, by its name, and only as the same tensor', () => {
  const copy = copyOf(version(1));
  assert.deepEqual(inputsFor(copy, version(2)), ['x']);
  assert.deepEqual(inputsFor(copy, version(2, { input: 'input_8', output: 'dense_7' })), ['input_8']);
  assert.equal(inputsFor(copy, version(2, { dtype: 'DT_HALF' })), undefined);
  assert.equal(inputsFor(copy, version(2, { batch: 1 })), undefined, 'another batch axis');
});

test('tensors go to a version with the same inputs; a message needs the same outputs too', () => {
  const copy = copyOf(version(1, {}, TABLE));
  assert.deepEqual(inputsFor(copy, version(2, { output: 'z' }, TABLE)), ['x']);
  assert.equal(inputsFor(copy, version(2, { input: 'z' }, TABLE)), undefined);
  const rest = { memory: new ArrayBuffer(100), start: 90, end: 100 };
  const message = { ...copy, request: { kind: 'message', method: 'Predict', rest } } as const;
  assert.equal(inputsFor(message, version(2, {}, TABLE)), 'message');
  assert.equal(inputsFor(message, version(2, { output: 'z' }, TABLE)), undefined);
});

/** A backend that answers each row with its first number and 0. */
function backendOf(answers: (rows: number) => Tensor | undefined) {
  const calls: unknown[] = [];
  const backend = {
    predict: async ({ servable, only, answer }, inputs, rows) => {
      calls.push({ ...servable, only: only && [...only], rows, inputs: [...inputs.keys()], outputs: answer.outputs });
      const output = answers(rows);
      return { version: servable.version, outputs: new Map(output && [[answer.outputs[0] ?? '', output]]) };
    },
  } satisfies Pick<Backend, 'predict'>;
  return { calls, backend: backend as unknown as Backend };
}

test('the other version is asked for the output with its scores, on its own servers', async () => {
  const other = version(2, { output: 'dense_7' });
  const { backend, calls } = backendOf((rows) => floats([rows, 2], [1, 0, 1, 0]));
  const copy = copyOf(version(1), 2);
  const output = await predictCopy(copy, copy.request, { routed: other, backend }, testContext());
  assert.deepEqual(output?.shape, [2, 2]);
  assert.deepEqual(calls, [{ model: 'm', version: 2, only: ['s'], rows: 2, inputs: ['x'], outputs: ['dense_7'] }]);
});

test('a version that takes one picture at a time gets them one by one', async () => {
  const other = version(2, { batch: 1 });
  const { backend, calls } = backendOf(() => floats([1, 2], [1, 0]));
  const copy = copyOf(version(1, { batch: 1 }), 3);
  const output = await predictCopy(copy, copy.request, { routed: other, backend }, testContext());
  assert.deepEqual(output?.shape, [3, 2]);
  assert.equal(calls.length, 3);
});

test('an answer without the output is a fault of the version', async () => {
  const { backend } = backendOf(() => undefined);
  const copy = copyOf(version(1));
  const predicted = predictCopy(copy, copy.request, { routed: version(2), backend }, testContext());
  await assert.rejects(predicted, { kind: 'model_failed' });
});
