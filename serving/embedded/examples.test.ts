import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DTYPES, type DType } from './dtype.ts';
import { examplesOf, readExamples } from './examples.ts';
import type { Example, Feature } from './protocol.ts';

const floats = (...value: number[]): Feature => ({ float_list: { value } });
const integers = (...value: string[]): Feature => ({ int64_list: { value } });
const strings = (...value: string[]): Feature => ({ bytes_list: { value: value.map((text) => Buffer.from(text)) } });
const example = (feature: Record<string, Feature>): Example => ({ features: { feature } });

/** The shape and values of the input x. */
function read(dtype: DType, shape: readonly number[] | undefined, ...features: Feature[]): unknown {
  const signature = { inputs: new Map([['x', { dtype, shape }]]), outputs: new Map() };
  const examples = features.map((x) => example({ x }));
  const tensor = readExamples(signature, examplesOf({ example_list: { examples } })).get('x');
  assert.ok(tensor);
  const { array } = DTYPES[dtype];
  const { data } = tensor;
  return [tensor.shape, Array.isArray(data) || !array ? data : Array.from(new array(data.buffer) as Iterable<unknown>)];
}

test('a feature is a row of the input with its name', () => {
  assert.deepEqual(read('DT_FLOAT', [-1], floats(1), floats(2)), [[2], [1, 2]]);
  assert.deepEqual(read('DT_FLOAT', [-1, 2], floats(1, 2), floats(3, 4)), [
    [2, 2],
    [1, 2, 3, 4],
  ]);
  assert.deepEqual(read('DT_DOUBLE', [-1, 1], floats(0.5)), [[1, 1], [0.5]]);
  assert.deepEqual(read('DT_INT64', [-1], integers('9007199254740993')), [[1], [9007199254740993n]]);
  assert.deepEqual(read('DT_BOOL', [-1], integers('1'), integers('0')), [[2], [1, 0]]);
  assert.deepEqual(read('DT_STRING', [-1], strings('é'), strings('')), [[2], ['é', '']]);
});

test('an axis of any size, or an unknown rank, takes what the first example has', () => {
  assert.deepEqual(read('DT_FLOAT', [-1, -1, 2], floats(1, 2, 3, 4)), [
    [1, 2, 2],
    [1, 2, 3, 4],
  ]);
  assert.deepEqual(read('DT_FLOAT', undefined, floats(1, 2, 3)), [
    [1, 3],
    [1, 2, 3],
  ]);
});

test('an example has the features of the context that it has not itself', () => {
  const context = example({ a: floats(1), b: floats(2) });
  const examples = [example({ a: floats(3) }), { features: null }];
  assert.deepEqual(examplesOf({ example_list_with_context: { examples, context } }), [
    { a: floats(3), b: floats(2) },
    { a: floats(1), b: floats(2) },
  ]);
});

const REFUSED: [string, () => unknown, string][] = [
  [
    'a missing feature',
    () => read('DT_FLOAT', [-1], {}),
    'Name: <unknown>, Feature: x (data type: float) is required but could not be found.',
  ],
  [
    'another type',
    () => read('DT_FLOAT', [-1], floats(1), integers('1')),
    "Name: <unknown>, Key: x, Index: 1.  Data types don't match. Data type: int64 but expected type: float",
  ],
  [
    'too many values',
    () => read('DT_STRING', [-1, 1], strings('a', 'b')),
    'Name: <unknown>, Key: x, Index: 0.  Number of string values != expected.  Values size: 2 but output shape: [1]',
  ],
  [
    'rows of different sizes',
    () => read('DT_FLOAT', [-1, -1], floats(1, 2), floats(1)),
    'Name: <unknown>, Key: x, Index: 1.  Number of float values != expected.  Values size: 1 but output shape: [2]',
  ],
  [
    'a type that no feature has',
    () => read('DT_HALF', [-1], floats(1)),
    'Input x is half. Examples have float, int64 and string features only',
  ],
  ['no examples', () => examplesOf({ example_list: { examples: [] } }), 'Input is empty.'],
  ['no input', () => examplesOf(null), 'Input is empty.'],
];
for (const [what, work, message] of REFUSED) {
  test(`refused: ${what}`, () => assert.throws(work, { code: 'INVALID_ARGUMENT', message }));
}

test('the name of a member of Object.prototype is a missing feature', () => {
  const signature = {
    inputs: new Map([['constructor', { dtype: 'DT_FLOAT' as const, shape: [-1] }]]),
    outputs: new Map(),
  };
  assert.throws(() => readExamples(signature, [{}]), /Feature: constructor .* could not be found/);
});
