import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metadata } from '../domain/servable.ts';
import type { Signature } from '../domain/tensor.ts';
import { parseCard } from './card.ts';
import { bind, bindPixels, SignatureMismatch } from './signatures.ts';

const card = (image = 'size: [299, 299], scale: tf', rest = '') =>
  parseCard(`name: m\nimage: {${image}}\nclasses: [a, b, c]\n${rest}`, '/models/m');
const metadata = (signature: Partial<Signature>): Metadata => ({
  version: 7,
  protocol: 'tf-serving',
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

test('pixels are bound where a version has both signatures with the same names and outputs', () => {
  const [input] = XCEPTION.inputs;
  assert.ok(input);
  const pixels = { ...XCEPTION, inputs: [{ ...input, dtype: 'DT_UINT8' }] } as const;
  const both = (serving_uint8: Signature) => {
    const { signatures, ...rest } = metadata({});
    return { ...rest, signatures: new Map([...signatures, ['serving_uint8', serving_uint8]]) };
  };
  const bound = bindPixels(card(), both(pixels));
  assert.ok(bound);
  assert.equal(bound.signature, 'serving_uint8');
  assert.equal(bound.input.dtype, 'DT_UINT8');
  assert.equal('scale' in bound.image && bound.image.scale, 'none');
  assert.deepEqual(bound.card, card(), 'model.yaml stays as it is');
  assert.equal(bindPixels(card(undefined, 'signature: serving_default'), both(pixels)), undefined);
  assert.throws(() => bindPixels(card(), metadata({})), SignatureMismatch);
  assert.throws(() => bindPixels(card(), both(XCEPTION)), /has input input_8 DT_FLOAT/);
  const renamed = { ...pixels, inputs: [{ ...input, name: 'pixels', dtype: 'DT_UINT8' as const }] };
  assert.throws(() => bindPixels(card(), both(renamed)), /has other names or outputs/);
  assert.throws(() => bindPixels(card(), both({ ...pixels, outputs: [] })), /has other names or outputs/);
});

test('A03: the elements of an answer are known where the signature has the shapes of all outputs', () => {
  const answerOf = (...others: Signature['outputs']) =>
    bind(card(undefined, 'output: dense_7'), metadata({ outputs: [...XCEPTION.outputs, ...others] })).answer;
  const scores = { outputs: ['dense_7'], wantedElements: 3 };
  assert.deepEqual(answerOf(), { ...scores, elements: 3 });
  assert.deepEqual(answerOf({ name: 'map', dtype: 'DT_FLOAT', shape: [-1, 10, 10, 4] }), { ...scores, elements: 403 });
  assert.deepEqual(answerOf({ name: 'table', dtype: 'DT_INT64', shape: [100] }), { ...scores, elements: 103 });
  assert.deepEqual(answerOf({ name: 'sum', dtype: 'DT_FLOAT', shape: [] }), { ...scores, elements: 4 });
  for (const unknown of [
    { name: 'boxes', dtype: 'DT_FLOAT', shape: [-1, -1, 4] },
    { name: 'any', dtype: 'DT_FLOAT', shape: null },
    { name: 'names', dtype: 'DT_STRING', shape: [-1, 3] },
  ]) {
    assert.deepEqual(answerOf(unknown), { ...scores, elements: undefined });
  }
});

test('A03: the text about a server with thousands of outputs is cut', () => {
  const outputs = Array.from({ length: 5000 }, (_, n) => ({ name: `output-${n}`, dtype: 'DT_FLOAT', shape: [-1, 9] }));
  assert.throws(
    () => bind(card(), metadata({ outputs })),
    (error: unknown) => error instanceof SignatureMismatch && error.message.length <= 2001,
  );
});

test('the output with as many scores as classes is found among others', () => {
  const outputs = [{ name: 'embedding', dtype: 'DT_FLOAT', shape: [-1, 2048] } as const, ...XCEPTION.outputs];
  assert.equal(bind(card(), metadata({ outputs })).output, 'dense_7');
});

test('F26 (20): `output` chooses among outputs that fit equally well', () => {
  const outputs = ['logits', 'probabilities'].map((name) => ({ name, dtype: 'DT_FLOAT', shape: [-1, 3] }) as const);
  const chosen = card(undefined, 'output: probabilities');
  assert.equal(bind(chosen, metadata({ outputs })).output, 'probabilities');
  assert.throws(() => bind(card(), metadata({ outputs })), /more than one output .*choose with output: logits$/);
  assert.throws(() => bind(chosen, metadata({})), /output: probabilities, .* has outputs dense_7/);
  const other = [{ name: 'probabilities', dtype: 'DT_FLOAT', shape: [-1, 4] }] as const;
  assert.throws(() => bind(chosen, metadata({ outputs: other })), /3 classes and output: probabilities.* no output of/);
});

const PRICE = ['price'];
const PAIR = ['bee', 'wasp'];
const THREE = ['a', 'b', 'c'];
const of = (classes: readonly string[], scores = 'logits') =>
  parseCard(
    `name: m\nimage: {size: [299, 299], scale: tf}\nclasses: [${classes.join(', ')}]\nscores: ${scores}`,
    '/models/m',
  );
for (const [shape, classes] of [
  [[-1], PRICE],
  [[-1, 1], PRICE],
  [[-1, 1, 1], PRICE],
  [[-1, 3], THREE],
  [[-1, 3, 1, 1], THREE],
  [[-1, 1, 3], THREE],
  [[-1, -1], THREE],
  [[-1, 1], PAIR],
  [[-1], PAIR],
  [[-1, 2], PAIR],
] as const) {
  test(`F26 (29): an output of [${shape}] fits ${classes.length} classes`, () => {
    const outputs = [{ name: 'y', dtype: 'DT_FLOAT', shape }] as const;
    assert.equal(bind(of(classes), metadata({ outputs })).output, 'y');
  });
}

for (const [shape, classes, scores] of [
  [[-1, 2, 5], [...'abcdefghij'], 'logits'],
  [[-1], THREE, 'logits'],
  [[-1, 4], THREE, 'logits'],
  [[], PRICE, 'logits'],
  [[-1, 1], PAIR, 'values'],
] as const) {
  test(`F26 (29): an output of [${shape}] with ${classes.length} classes of ${scores} is refused`, () => {
    const outputs = [{ name: 'y', dtype: 'DT_FLOAT', shape }] as const;
    assert.throws(() => bind(of(classes, scores), metadata({ outputs })), /has no output of/);
  });
}

test('A1 (09): an output with a number for each of two classes goes before one that they share', () => {
  const outputs = [1, 2].map((width) => ({ name: `y${width}`, dtype: 'DT_FLOAT', shape: [-1, width] }) as const);
  assert.equal(bind(of(PAIR), metadata({ outputs })).output, 'y2');
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

test('F26: inputs of integers are accepted only with scale: none, those of floats with any', () => {
  const of = (dtype: string) => metadata({ inputs: [{ name: 'x', dtype, shape: [-1, 299, 299, 3] }] });
  const own = card('size: [299, 299], scale: {mean: [0.5, 0.5, 0.5], std: [1, 1, 1]}');
  for (const dtype of ['DT_UINT8', 'DT_INT32']) {
    assert.equal(bind(card('size: [299, 299], scale: none'), of(dtype)).input.dtype, dtype);
    assert.throws(() => bind(card(), of(dtype)), new RegExp(`scale: tf makes DT_FLOAT, .* input x ${dtype}`));
    assert.throws(() => bind(own, of(dtype)), /scale: \{mean, std\} makes DT_FLOAT/);
  }
  for (const dtype of ['DT_FLOAT', 'DT_HALF', 'DT_BFLOAT16']) {
    assert.equal(bind(card(), of(dtype)).input.dtype, dtype);
  }
  assert.throws(() => bind(card(), of('DT_STRING')), /input x DT_STRING/);
});

test('F26: encoded pictures take an input of strings, one for each instance', () => {
  const of = (dtype: string, shape: readonly number[]) => metadata({ inputs: [{ name: 'x', dtype, shape }] });
  const encoded = card('encoded: true');
  assert.deepEqual(bind(encoded, of('DT_STRING', [-1])).input, { name: 'x', dtype: 'DT_STRING', shape: [] });
  assert.equal(bind(encoded, of('DT_STRING', [1])).input.isSingle, true);
  assert.throws(() => bind(encoded, of('DT_STRING', [])), /image\.encoded \(\[n\]\).* input x DT_STRING \[\]/);
  assert.throws(() => bind(encoded, of('DT_UINT8', [-1])), /image\.encoded, which takes DT_STRING/);
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
