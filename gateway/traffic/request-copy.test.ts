import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringsOf } from '../domain/strings.ts';
import type { StringTensor, Tensor, TensorInfo } from '../domain/tensor.ts';
import { parseCard } from '../model/card.ts';
import type { Routed } from '../model/route.ts';
import { bind } from '../model/signatures.ts';
import type { PredictedPicture } from '../pipeline/predicted.ts';
import { planCopy } from './request-copy.ts';

const floats = (shape: readonly number[], numbers: readonly number[]) => ({
  dtype: 'DT_FLOAT',
  shape,
  bytes: new Uint8Array(Float32Array.from(numbers).buffer),
});

function routed(yaml: string, input: TensorInfo): Routed {
  const card = parseCard(`name: m\nclasses: [a, b]\n${yaml}`, '/m');
  const outputs: TensorInfo[] = [{ name: 'y', dtype: 'DT_FLOAT', shape: [-1, 2] }];
  const signatures = new Map([['serving_default', { inputs: [input], outputs }]]);
  const metadata = { version: 1, protocol: 'tf-serving' as const, signatures };
  const binding = card.image ? { binding: bind(card, metadata) } : {};
  return { card, version: 1, metadata, ...binding, servers: new Set(), role: 'stable' };
}

const PIXELS = routed('image: {size: [1, 1], scale: tf}', { name: 'x', dtype: 'DT_FLOAT', shape: [-1, 1, 1, 3] });
const ENCODED = routed('image: {encoded: true}', { name: 'x', dtype: 'DT_STRING', shape: [-1] });
const RECORDS = routed('', { name: 'x', dtype: 'DT_FLOAT', shape: [-1, 2] });
const about = { signature: 'serving_default' };

const picture = (row: number, sentRow: number): PredictedPicture => ({
  row,
  sentRow,
  instance: { kind: 'bytes', bytes: new Uint8Array(), field: 'b64' },
  bytes: Uint8Array.of(row, row),
  outputs: new Map([['y', floats([2], [row, -row])]]),
  statistics: undefined,
});
const isStrings = (tensor: Tensor): tensor is StringTensor => 'offsets' in tensor;
const numbers = (tensor: Tensor | undefined) => tensor && [...new Float32Array(new Uint8Array(tensor.bytes).buffer)];

test('the pixels of pictures are kept, not copied; outputs are in the order of their rows', async () => {
  let kept = 0;
  const tensor = floats([2, 1, 1, 3], [1, 2, 3, 4, 5, 6]);
  const pixels = {
    tensor,
    keep() {
      kept += 1;
      return () => {
        kept -= 1;
      };
    },
  };
  const plan = planCopy({
    kind: 'pictures',
    routed: PIXELS,
    ...about,
    pictures: [picture(0, 1), picture(2, 0)],
    count: 3,
    pixels,
  });
  assert.equal(plan?.bytes, 2 * 24 + 2 * 8);
  assert.equal(kept, 0);
  const copy = plan.make();
  assert.equal(kept, 1);
  assert.ok(copy.request.kind === 'tensors' && copy.request.inputs.get('x') === tensor);
  assert.deepEqual(copy.instances, [2, 0]);
  assert.deepEqual(numbers(await copy.output()), [2, -2, 0, -0]);
  copy.release();
  assert.equal(kept, 0);
});

test('where the model refused a picture of several, nothing is copied', () => {
  const pixels = { tensor: floats([2, 1, 1, 3], [1, 2, 3, 4, 5, 6]), keep: () => assert.fail('kept') };
  const predicted = {
    kind: 'pictures',
    routed: PIXELS,
    ...about,
    pictures: [picture(0, 0)],
    count: 2,
    pixels,
  } as const;
  assert.equal(planCopy(predicted), undefined);
});

test('pictures that the model decodes are copied as they were sent', () => {
  const pictures = [picture(0, 1), picture(1, 0)];
  const copy = planCopy({ kind: 'pictures', routed: ENCODED, ...about, pictures, count: 2 })?.make();
  const tensor = copy?.request.kind === 'tensors' ? copy.request.inputs.get('x') : undefined;
  assert.ok(tensor && isStrings(tensor));
  assert.deepEqual(
    stringsOf(tensor).map((string) => [...string]),
    [
      [1, 1],
      [0, 0],
    ],
  );
});

test('tensors are copied: the request may move or free its own', async () => {
  const [input, output] = [floats([1, 2], [1, 2]), floats([1, 2], [3, 4])];
  const [inputs, outputs] = [new Map([['x', input]]), new Map([['y', output]])];
  const copy = planCopy({ kind: 'tensors', routed: RECORDS, ...about, inputs, outputs, rows: 1 })?.make();
  input.bytes.fill(0);
  output.bytes.fill(0);
  assert.deepEqual(copy?.request.kind === 'tensors' && numbers(copy.request.inputs.get('x')), [1, 2]);
  assert.deepEqual(numbers(await copy?.output()), [3, 4]);
});

test('a message is copied with the free memory before it; Classify and Regress have no scores to compare', async () => {
  const memory = new Uint8Array(100).fill(7).buffer;
  const rest = { memory, start: 80, end: 90 };
  const relayed = {
    kind: 'relayed',
    routed: RECORDS,
    ...about,
    rest,
    rows: 1,
    requestBytes: 10,
    answerBytes: 5,
  } as const;
  const outputs = async () => new Map([['y', floats([1, 2], [3, 4])]]);
  const plan = planCopy({ ...relayed, method: 'Predict', outputs });
  assert.equal(plan?.bytes, 95);
  const copy = plan.make();
  new Uint8Array(memory).fill(0);
  const copied = copy.request.kind === 'message' ? copy.request.rest : undefined;
  assert.deepEqual([copied?.start, copied?.end, copied && new Uint8Array(copied.memory)[85]], [80, 90, 7]);
  assert.deepEqual(numbers(await copy.output()), [3, 4]);
  assert.equal(planCopy({ ...relayed, method: 'Classify', outputs }), undefined);
});
