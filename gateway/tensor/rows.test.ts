import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { elementsOf, type NumericDType } from '../domain/elements.ts';
import type { DType, Signature, Tensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import { parseExactJson } from './exact-json.ts';
import { type Inputs, readColumns, readRows } from './rows.ts';
import { rowsToJson, tensorToJson } from './to-json.ts';

const signature = (inputs: Readonly<Record<string, readonly [DType, readonly number[] | null]>>): Signature => ({
  inputs: Object.entries(inputs).map(([name, [dtype, shape]]) => ({ name, dtype, shape })),
  outputs: [],
});
const CHURN = signature({ tenure: ['DT_INT64', [-1]], charges: ['DT_FLOAT', [-1]], contract: ['DT_STRING', [-1]] });
const one = (dtype: DType, shape: readonly number[] | null = null) => signature({ x: [dtype, shape] });

const rows = (text: string, of: Signature) => readRows(parseExactJson(text) as unknown[], of, 'instances');
const columns = (text: string, of: Signature) => readColumns(parseExactJson(text), of, 'inputs');
const shown = (inputs: Inputs) => [...inputs].map(([name, tensor]) => `${name}=${tensorToJson(tensor)}`).join(' ');

function textOf(read: () => Inputs): string {
  try {
    return shown(read());
  } catch (error) {
    assert.ok(error instanceof GatewayError && error.kind === 'invalid_request');
    return error.message;
  }
}

test('instances become one tensor for each input, in the order of the rows', () => {
  const text = '[{"contract":"two_year","tenure":9,"charges":1.5},{"tenure":-1,"charges":2,"contract":{"b64":"AP8="}}]';
  const inputs = rows(text, CHURN);
  assert.equal(shown(inputs), 'tenure=[9,-1] charges=[1.5,2] contract=["two_year",{"b64":"AP8="}]');
  assert.deepEqual(
    [...inputs.values()].map(({ shape }) => shape),
    [[2], [2], [2]],
  );
});

test('a model with one input takes plain values, also lists', () => {
  assert.equal(shown(rows('[[1,2],[3,4]]', one('DT_FLOAT', [-1, 2]))), 'x=[[1,2],[3,4]]');
  assert.equal(shown(rows('[{"x":[1]},{"x":[3]}]', one('DT_FLOAT', [-1, 1]))), 'x=[[1],[3]]');
  assert.equal(shown(rows('[{"b64":"aGk="}]', one('DT_STRING', [-1]))), 'x=["hi"]');
  assert.equal(shown(columns('7', one('DT_INT32', []))), 'x=7');
  assert.equal(shown(columns('{"x":[[7]]}', one('DT_INT32'))), 'x=[[7]]');
  assert.equal(shown(columns('[]', one('DT_INT32', [-1]))), 'x=[]');
});

for (const [read, text, wanted] of [
  [rows, '[{"tenure":"abc","charges":1,"contract":""}]', 'instances[0].tenure: expected an integer, got "abc"'],
  [rows, '[{"tenure":1,"charges":1}]', 'instances[0].contract: is missing; send tenure, charges, contract'],
  [
    rows,
    '[{"tenure":1,"charges":1,"contract":"","age":1}]',
    'instances[0].age: no such input; send tenure, charges, contract',
  ],
  [rows, '[1]', 'instances[0]: expected an object with tenure, charges, contract'],
  [rows, '[{"tenure":1,"charges":null,"contract":""}]', 'instances[0].charges: expected a number, got null'],
  [rows, '[{"tenure":[1],"charges":1,"contract":""}]', 'instances[0].tenure: expected the shape [], got [1]'],
  [columns, '{"tenure":[1],"charges":[[1]],"contract":[""]}', 'inputs.charges: expected the shape [n], got [1,1]'],
  [
    columns,
    '{"tenure":[1,{"a":1}],"charges":[1],"contract":[""]}',
    'inputs.tenure[1]: expected an integer, got an object',
  ],
  [
    columns,
    '{"tenure":[],"charges":[],"contract":[3]}',
    'inputs.contract[0]: expected a string or {"b64": "…"}, got 3',
  ],
  [
    columns,
    '{"tenure":[],"charges":[],"contract":[{"b64":"a*b"}]}',
    'inputs.contract[0].b64: is not base64 (RFC 4648)',
  ],
] as const) {
  test(`${text} is refused with the place of the mistake`, () => {
    assert.equal(
      textOf(() => read(text, CHURN)),
      wanted,
    );
  });
}

test('lists that are no rectangle are refused with the place of the first other one', () => {
  const refused = (text: string) => textOf(() => rows(text, one('DT_FLOAT')));
  assert.equal(
    refused('[[[1,2],[3,4]],[[1,2],[3]]]'),
    'instances[1][1]: expected a list of 2, as the first one has, got one of 1',
  );
  assert.equal(refused('[[1,2],3]'), 'instances[1]: expected a list of 2, got 3');
  assert.equal(refused('[1,[2]]'), 'instances[1]: expected a value, got a list');
});

test('a list that claims a huge rectangle is refused before memory is taken', () => {
  const long = Array.from({ length: 100_000 }, () => 0);
  const value = [long, ...long];
  assert.match(
    textOf(() => readColumns(value, one('DT_DOUBLE'), 'inputs')),
    /^inputs\[1\]: expected a list of 100000/,
  );
});

const INTEGERS: readonly (readonly [NumericDType, bigint, bigint])[] = [
  ['DT_INT8', -128n, 127n],
  ['DT_INT16', -32768n, 32767n],
  ['DT_INT32', -(2n ** 31n), 2n ** 31n - 1n],
  ['DT_INT64', -(2n ** 63n), 2n ** 63n - 1n],
  ['DT_UINT8', 0n, 255n],
  ['DT_UINT16', 0n, 65535n],
  ['DT_UINT32', 0n, 2n ** 32n - 1n],
  ['DT_UINT64', 0n, 2n ** 64n - 1n],
];
for (const [dtype, min, max] of INTEGERS) {
  test(`${dtype} takes every integer of its range exactly, and no other number`, () => {
    assert.equal(shown(columns(`[${min},${max},0]`, one(dtype))), `x=[${min},${max},0]`);
    for (const wrong of [`${min - 1n}`, `${max + 1n}`, '1.5', '1.0', '1e2', '"1"', 'true', 'null', '"NaN"']) {
      assert.match(
        textOf(() => columns(`[${wrong}]`, one(dtype))),
        /^inputs\[0\]: expected an integer/,
        wrong,
      );
    }
  });
}

for (const [dtype, largest, above] of [
  ['DT_HALF', '65504', '65520'],
  ['DT_BFLOAT16', '3.3895313892515355e+38', '3.4e38'],
  ['DT_FLOAT', '3.4028234663852886e+38', '3.4028236e38'],
  ['DT_DOUBLE', '1.7976931348623157e+308', '1e309'],
] as const) {
  test(`${dtype} takes numbers up to its largest, and those that are not finite as strings`, () => {
    assert.equal(
      shown(columns(`[${largest},-0.5,1.0,"NaN","Infinity","-Infinity"]`, one(dtype))),
      `x=[${largest},-0.5,1,"NaN","Infinity","-Infinity"]`,
    );
    for (const wrong of [above, `-${above}`, '"1"', 'true', '"nan"', '"toString"']) {
      assert.match(
        textOf(() => columns(`[${wrong}]`, one(dtype))),
        /^inputs\[0\]: expected a number/,
        wrong,
      );
    }
  });
}

test('bfloat16 is rounded to the nearest, ties to even', () => {
  const bits = (value: number) => elementsOf(columns(`[${value}]`, one('DT_BFLOAT16')).get('x') as Tensor)?.[0];
  assert.deepEqual(
    [1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, -1 - 2 ** -8 - 2 ** -20].map(bits),
    [0x3f80, 0x3f80, 0x3f82, 0xbf81],
  );
});

test('booleans are true and false only; types that JSON has no values for are refused by name', () => {
  assert.equal(shown(columns('[true,false]', one('DT_BOOL'))), 'x=[true,false]');
  assert.match(
    textOf(() => columns('[1]', one('DT_BOOL'))),
    /expected true or false, got 1$/,
  );
  assert.match(
    textOf(() => columns('[1]', one('DT_QINT8'))),
    /^inputs: DT_QINT8 cannot be sent as JSON$/,
  );
});

test('every float64 and every string survives both ways', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true, noDefaultInfinity: true })),
      fc.array(fc.string()),
      (numbers, texts) => {
        assert.deepEqual(JSON.parse(tensorToJson(readOne(numbers, 'DT_DOUBLE'))), numbers);
        assert.deepEqual(JSON.parse(tensorToJson(readOne(texts, 'DT_STRING'))), texts);
      },
    ),
  );
  function readOne(values: unknown[], dtype: DType): Tensor {
    return readColumns(values, one(dtype), 'inputs').get('x') ?? assert.fail();
  }
});

test('long lists are written as short ones, also where one element is no number of JSON', () => {
  for (const odd of [0.5, Number.NaN, -0]) {
    const elements = Float32Array.from({ length: 3000 }, (_, index) => (index === 2000 ? odd : Math.sin(index)));
    const texts = Array.from(elements, (one) =>
      Number.isNaN(one) ? '"NaN"' : Object.is(one, -0) ? '-0' : String(one),
    );
    const tensor: Tensor = { dtype: 'DT_FLOAT', shape: [3000], bytes: new Uint8Array(elements.buffer) };
    assert.equal(tensorToJson(tensor), `[${texts.join()}]`);
    assert.deepEqual(rowsToJson(tensor), texts);
    const pairs = texts.flatMap((one, index) => (index % 2 === 0 ? [`[${one},${texts[index + 1]}]`] : []));
    assert.equal(tensorToJson({ ...tensor, shape: [1500, 2] }), `[${pairs.join()}]`);
  }
});

test('rows of an output are written one by one; names that end in _bytes are base64', () => {
  const tensor = columns('[[[1,2]],[[3,4]]]', one('DT_INT8')).get('x') ?? assert.fail();
  assert.deepEqual(rowsToJson(tensor), ['[[1,2]]', '[[3,4]]']);
  const text = columns('["hi"]', one('DT_STRING')).get('x') ?? assert.fail();
  assert.deepEqual([rowsToJson(text), rowsToJson(text, 'png_bytes')], [['"hi"'], ['{"b64":"aGk="}']]);
});
