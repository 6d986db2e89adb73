import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metadata } from '../domain/servable.ts';
import type { Signature } from '../domain/tensor.ts';
import { parseCard } from './card.ts';
import { bind, SignatureMismatch } from './signatures.ts';

const card = (image = 'size: [299, 299], scale: tf', rest = '') =>
  parseCard(`name: m\nimage: {${image}}\nclasses: [a, b, c]\n${rest}`, '/models/m');
const metadata = (signature: Partial<Signature>): Metadata => ({
  version: 7,
  signatures: new Map([['serving_default', { ...XCEPTION, ...signature }]]),
});
const XCEPTION: Signature = {
  inputs: [{ name: 'input_8', dtype: 'DT_FLOAT', shape: [-1, 299, 299, 3] }],
  outputs: [{ name: 'dense_7', dtype: 'DT_FLOAT', shape: [-1, 3] }],
};

test('names, dtype and shape of input and output are read from the signature', () => {
  const { version, input, output } = bind(card(), metadata({}));
  assert.deepEqual(
    { version, input, output },
    { version: 7, input: { name: 'input_8', dtype: 'DT_FLOAT', shape: [299, 299, 3] }, output: 'dense_7' },
  );
});

test('the output with as many scores as classes is found among others', () => {
  const outputs = [{ name: 'embedding', dtype: 'DT_FLOAT', shape: [-1, 2048] } as const, ...XCEPTION.outputs];
  assert.equal(bind(card(), metadata({ outputs })).output, 'dense_7');
});

test('unknown axes and an unknown rank match any shape', () => {
  const loose = metadata({
    inputs: [{ name: 'x', dtype: 'DT_FLOAT', shape: [-1, -1, -1, -1] }],
    outputs: [{ name: 'y', dtype: 'DT_FLOAT', shape: null }],
  });
  assert.deepEqual(bind(card(), loose).input.shape, [299, 299, 3]);
});

test('a batch axis of 1 means one image per Predict; any other fixed batch size is refused', () => {
  const of = (batch: number) => metadata({ inputs: [{ name: 'x', dtype: 'DT_FLOAT', shape: [batch, 299, 299, 3] }] });
  assert.deepEqual(bind(card(), of(1)).input, { name: 'x', dtype: 'DT_FLOAT', shape: [299, 299, 3], isSingle: true });
  assert.throws(() => bind(card(), of(8)), /takes exactly 8 at once: x DT_FLOAT \[8,299,299,3\]/);
});

test('NCHW with grayscale matches a signature with the channel axis first', () => {
  const inputs = [{ name: 'x', dtype: 'DT_FLOAT', shape: [-1, 1, 28, 28] }] as const;
  const spec = card('size: [28, 28], scale: div255, color: grayscale, layout: NCHW');
  assert.deepEqual(bind(spec, metadata({ inputs })).input.shape, [1, 28, 28]);
});

test('a uint8 input is accepted only with scale: none', () => {
  const inputs = [{ name: 'x', dtype: 'DT_UINT8', shape: [-1, 299, 299, 3] }] as const;
  assert.equal(bind(card('size: [299, 299], scale: none'), metadata({ inputs })).input.dtype, 'DT_UINT8');
  assert.throws(() => bind(card(), metadata({ inputs })), /scale: tf makes DT_FLOAT, .* input x DT_UINT8/);
});

const two = [...XCEPTION.inputs, { name: 'mask', dtype: 'DT_FLOAT', shape: null }] as const;
for (const [what, spec, signature, line] of [
  [
    'another size',
    card('size: [224, 224], scale: tf'),
    {},
    /image of \[n,224,224,3\] NHWC.* input input_8 DT_FLOAT \[n,299,299,3\]/,
  ],
  ['another layout', card('size: [299, 299], scale: tf, layout: NCHW'), {}, /NCHW/],
  ['an unknown input', card('input: x, size: [299, 299], scale: tf'), {}, /image\.input: x.* has inputs input_8/],
  ['two inputs', card(), { inputs: two }, /no image\.input.* input_8 .*, mask DT_FLOAT of any shape/],
  [
    'another number of classes',
    card(),
    { outputs: [{ name: 'y', dtype: 'DT_FLOAT', shape: [-1, 10] }] },
    /3 classes.* no output of \[n,3\] among y/,
  ],
  [
    'two fitting outputs',
    card(),
    { outputs: [...XCEPTION.outputs, { name: 'z', dtype: 'DT_FLOAT', shape: [-1, 3] }] },
    /more than one output/,
  ],
  ['an output of strings', card(), { outputs: [{ name: 'y', dtype: 'DT_STRING', shape: [-1, 3] }] }, /no output/],
  [
    'an unknown signature',
    card('size: [299, 299], scale: tf', 'signature: other'),
    {},
    /signature: other.* has serving_default/,
  ],
] as const) {
  test(`${what} is refused with one line that names both sides`, () => {
    assert.throws(
      () => bind(spec, metadata(signature)),
      (error: unknown) =>
        error instanceof SignatureMismatch && line.test(error.message) && !error.message.includes('\n'),
    );
  });
}
