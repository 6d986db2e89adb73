import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elementsOf } from '../domain/elements.ts';
import { stringsOf } from '../domain/strings.ts';
import type { Table } from '../domain/table.ts';
import type { TensorInfo } from '../domain/tensor.ts';
import { parseExactJson } from './exact-json.ts';
import { readRecords } from './records.ts';
import { unpackNames } from './row-names.ts';

const info = (name: string, dtype: string, shape: number[] | null = [-1]): TensorInfo => ({ name, dtype, shape });
const CHURN: Table = {
  signature: 'serving_default',
  inputs: [info('tenure', 'DT_INT64'), info('charges', 'DT_FLOAT', [-1, 1]), info('contract', 'DT_STRING')],
  outputs: [info('churn', 'DT_BOOL')],
};
const LISTS: Table = { ...CHURN, columns: ['contract', 'tenure', 'charges'] };
const RIDES: Table = {
  ...CHURN,
  inputs: [info('distance', 'DT_FLOAT')],
  record: { in: 'ride', id: 'ride_id' },
};
const only = (dtype: string, shape: number[] | null) => ({ ...CHURN, inputs: [info('x', dtype, shape)] });

const read = (text: string, table: Table) =>
  readRecords(parseExactJson(text) as unknown[], table, (row) => `instances[${row}]`);

/** The tensors as text: `tenure[2]=1,2`. */
function shown(text: string, table: Table): string {
  const tensors = read(text, table).inputs.map(([name, tensor]) => {
    const values =
      'offsets' in tensor
        ? stringsOf(tensor).map((bytes) => Buffer.from(bytes).toString())
        : [...(elementsOf(tensor) ?? [])];
    return `${name}[${tensor.shape}]=${values}`;
  });
  return tensors.join(' ');
}

for (const [what, text, table, wanted] of [
  [
    'records, with plain values for [n,1]',
    '[{"tenure":9007199254740993,"charges":1.5,"contract":"a"},{"contract":"b","charges":2,"tenure":-1}]',
    CHURN,
    'tenure[2]=9007199254740993,-1 charges[2,1]=1.5,2 contract[2]=a,b',
  ],
  [
    'lists for [n,1]',
    '[{"tenure":1,"charges":[1.5],"contract":"a"}]',
    CHURN,
    'tenure[1]=1 charges[1,1]=1.5 contract[1]=a',
  ],
  ['plain lists in the order of the columns', '[["a",1,2]]', LISTS, 'tenure[1]=1 charges[1,1]=2 contract[1]=a'],
  [
    'plain lists and records together',
    '[["a",1,2],{"tenure":3,"charges":4,"contract":"b"}]',
    LISTS,
    'tenure[2]=1,3 charges[2,1]=2,4 contract[2]=a,b',
  ],
  ['a record in its field', '[{"ride_id":"a","ride":{"distance":3}}]', RIDES, 'distance[1]=3'],
  ['a record outside of it', '[{"distance":3}]', RIDES, 'distance[1]=3'],
  ['values of the only input', '[[1,2],[3,4]]', only('DT_INT8', [-1, 2]), 'x[2,2]=1,2,3,4'],
  ['objects of the only input', '[{"x":1}]', only('DT_INT8', [-1]), 'x[1]=1'],
  ['bytes of the only input', '[{"b64":"YWJj"},"d"]', only('DT_STRING', [-1]), 'x[2]=abc,d'],
  ['any rank', '[[[1]]]', only('DT_INT8', null), 'x[1,1,1]=1'],
  ['an input without an axis of rows', '[{"x":5}]', only('DT_INT32', []), 'x[]=5'],
] as const) {
  test(`${what} are read`, () => {
    assert.equal(shown(text, table), wanted);
  });
}

/** Each instance with its ids as JSON text. */
function names(text: string, table: Table): string[] {
  const { instances } = read(text, table);
  const nameOf = unpackNames(instances);
  return Array.from({ length: instances.count }, (_, row) => {
    const { isPlain, ids } = nameOf(row);
    return `${isPlain ? 'plain ' : ''}${ids}`;
  });
}

test('ids come back with their digits, and are no inputs', () => {
  const text =
    '[{"ride_id":"a","id":12345678901234567890,"ride":{"distance":3}},{"distance":3,"ride_id":null},{"ride_id":true,"distance":1}]';
  assert.deepEqual(names(text, RIDES), ['"id":12345678901234567890,"ride_id":"a"', '', '"ride_id":true']);
  assert.deepEqual(names('[3]', RIDES), ['plain ']);
  const withInput = { ...CHURN, inputs: [info('id', 'DT_INT64')] };
  assert.deepEqual(names('[{"id":3}]', withInput), ['']);
  assert.equal(shown('[{"id":3}]', withInput), 'id[1]=3');
});

for (const [text, table, wanted] of [
  [
    '[{"tenure":1,"charges":1,"contract":""},{"tenure":"abc","charges":1,"contract":""}]',
    CHURN,
    'instances[1].tenure: expected an integer, got "abc"',
  ],
  [
    '[{"tenure":1.5,"charges":1,"contract":""}]',
    CHURN,
    'instances[0].tenure: expected an integer from -9223372036854775808 to 9223372036854775807, got 1.5',
  ],
  ['[{"tenure":1,"charges":true,"contract":""}]', CHURN, 'instances[0].charges: expected a number, got true'],
  ['[["a",1]]', LISTS, 'instances[0]: expected a list of 3 (contract, tenure, charges), got one of 2'],
  ['[["a","b",2]]', LISTS, 'instances[0][1]: expected an integer, got "b"'],
  ['[3]', LISTS, 'instances[0]: expected an object with tenure, charges, contract, or a list of their values'],
  ['[["a",1,2]]', CHURN, 'instances[0]: expected an object with tenure, charges, contract'],
  ['[{"tenure":1,"contract":""}]', CHURN, 'instances[0].charges: is missing; send tenure, charges, contract'],
  [
    '[{"tenure":1,"charges":1,"contract":"","age":2}]',
    CHURN,
    'instances[0].age: no such input; send tenure, charges, contract',
  ],
  ['[{"ride":{"distance":"far"}}]', RIDES, 'instances[0].ride.distance: expected a number, got "far"'],
  ['[{"ride":{"distance":1,"id":2}}]', RIDES, 'instances[0].ride.id: no such input; send distance'],
  ['[{"ride":3}]', RIDES, 'instances[0].ride: expected an object with distance'],
  ['[{"ride_id":[1],"ride":{"distance":1}}]', RIDES, 'instances[0].ride_id: expected a string or a number, got a list'],
  [`[{"id":"${'x'.repeat(1000)}","distance":1}]`, RIDES, 'instances[0].id: an id has at most 1000 characters'],
  ['[[1,2,3]]', only('DT_INT8', [-1, 2]), 'instances[0]: expected the shape [2], got [3]'],
  ['[1,2]', only('DT_INT8', [1]), 'instances: x has exactly 1 in one request, got 2'],
  ['[1,2]', only('DT_INT8', []), 'instances: x has exactly 1 in one request, got 2'],
] as const) {
  test(`${text.slice(0, 80)} is refused with the place of the mistake`, () => {
    assert.throws(() => read(text, table), { kind: 'invalid_request', message: wanted });
  });
}

test('an id that an output has as its name is refused', () => {
  const table = { ...CHURN, inputs: [info('x', 'DT_FLOAT')], outputs: [info('id', 'DT_INT64')] };
  assert.throws(() => read('[{"x":1,"id":2}]', table), /instances\[0\]\.id: the model has an output of this name/);
});
