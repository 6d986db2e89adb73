import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ELEMENTS, type NumericDType } from '../domain/elements.ts';
import type { Table } from '../domain/table.ts';
import type { Tensor, TensorInfo } from '../domain/tensor.ts';
import { piecesOf } from '../http/answer.ts';
import { createJsonCodec } from '../http/json/codec.ts';
import { packNames, type RowName } from '../tensor/row-names.ts';
import type { RecordsForm } from './record-members.ts';
import { checkForm, renderRecords } from './records.ts';

const info = (name: string, dtype = 'DT_FLOAT', shape = [-1]): TensorInfo => ({ name, dtype, shape });
const tensor = (dtype: NumericDType, shape: number[], values: readonly number[]): Tensor => ({
  dtype,
  shape,
  bytes: new Uint8Array(new ELEMENTS[dtype](values as never).buffer as ArrayBuffer),
});
const floats = (shape: number[], ...values: number[]) => tensor('DT_FLOAT', shape, values);

const codec = createJsonCodec(64 * 2 ** 20);
after(() => codec.close());

const FORM: RecordsForm = { format: 'map', wants: 'raw', top: undefined, outlier: false };
const named: RowName = { isPlain: false };
const plain: RowName = { isPlain: true };
const tableOf = (outputs: TensorInfo[], more: Partial<Table> = {}): Table => ({
  signature: 's',
  inputs: [],
  outputs,
  ...more,
});

async function body(
  table: Table,
  outputs: Record<string, Tensor>,
  instances: readonly RowName[] = [named],
  form: Partial<RecordsForm & { flat: boolean }> = {},
): Promise<string> {
  const { flat = instances.length === 1, ...rest } = form;
  checkForm(table, { ...FORM, ...rest }, 'query ');
  const prediction = { version: 7, table, outputs: new Map(Object.entries(outputs)) };
  const answer = await renderRecords(
    codec.write,
    prediction,
    { instances: packNames(instances), flat },
    { ...FORM, ...rest },
  );
  assert.equal(answer.headers['X-Model-Version'], '7');
  return Buffer.from(piecesOf(answer.body).pieces[0] ?? '').toString();
}

test('outputs are answered by name, with plain values where a row has one element', async () => {
  const table = tableOf([info('p', 'DT_FLOAT', [-1, 1]), info('yes', 'DT_BOOL'), info('v', 'DT_FLOAT', [-1, 2])]);
  const outputs = {
    p: floats([2, 1], 0.5, Number.NaN),
    yes: tensor('DT_BOOL', [2], [1, 0]),
    v: floats([2, 2], 1, 2, 3, 4),
  };
  assert.equal(
    await body(table, outputs, [named, { ...named, ids: [['id', '7']] }]),
    '{"predictions":[{"p":0.5,"yes":true,"v":[1,2]},{"id":7,"p":"NaN","yes":false,"v":[3,4]}]}',
  );
});

test('an instance without names has a prediction without a name, where there is one output', async () => {
  const one = tableOf([info('class', 'DT_INT64')]);
  const classes: Tensor = {
    dtype: 'DT_INT64',
    shape: [2],
    bytes: new Uint8Array(BigInt64Array.of(1n, 2n ** 60n).buffer),
  };
  assert.equal(await body(one, { class: classes }, [plain, plain]), `{"predictions":[1,${2n ** 60n}]}`);
  assert.equal(await body(one, { class: classes }, [plain, named]), `{"predictions":[1,{"class":${2n ** 60n}}]}`);
  const two = tableOf([info('a'), info('b')]);
  assert.equal(await body(two, { a: floats([1], 1), b: floats([1], 2) }, [plain]), '{"a":1,"b":2}');
});

test('one neuron answers both names of its classes; with more outputs, each under its own name', async () => {
  const scores = { output: 'p', classes: ['bee', 'wasp'], gives: 'probabilities' } as const;
  const outputs = { p: floats([1, 1], 0.25), age: floats([1], 3) };
  assert.equal(await body(tableOf([info('p')], { scores }), outputs), '{"bee":0.75,"wasp":0.25}');
  assert.equal(await body(tableOf([info('p'), info('age')], { scores }), outputs), '{"bee":0.75,"wasp":0.25,"age":3}');
  assert.equal(await body(tableOf([info('p')], { scores }), outputs, [named], { top: 1 }), '{"bee":0.75}');
  assert.equal(
    await body(tableOf([info('p')], { scores }), outputs, [named], { format: 'list' }),
    '{"predictions":[{"class":"bee","score":0.75},{"class":"wasp","score":0.25}]}',
  );
});

test('a decision is true from the threshold on, and the version follows in the answer of a wrapped record', async () => {
  const decision = { output: 'p', threshold: 0.5, name: 'churn' };
  const table = tableOf([info('p')], { decision, record: { id: 'ride_id' } });
  assert.equal(
    await body(table, { p: floats([2], 0.5, 0.25) }, [{ ...named, ids: [['ride_id', '"a"']] }, named]),
    '{"predictions":[{"ride_id":"a","p":0.5,"churn":true,"model_version":7},{"p":0.25,"churn":false,"model_version":7}]}',
  );
});

test('a row that has no score or no decision is an error in its place, with its id; if all are, it is the answer', async () => {
  const table = tableOf([info('p')], { decision: { output: 'p', threshold: 0.5, name: 'churn' } });
  const outputs = { p: floats([2], Number.NaN, 1) };
  const [failed, fine] = JSON.parse(await body(table, outputs, [{ ...named, ids: [['id', '1']] }, named])).predictions;
  assert.deepEqual([failed.id, failed.error.kind, fine], [1, 'model_failed', { p: 1, churn: true }]);
  await assert.rejects(body(table, { p: floats([1], Number.NaN) }), {
    kind: 'model_failed',
    message: /churn cannot be decided/,
  });
});

test('an output without a row for each instance is model_failed; the only instance gets all of it', async () => {
  const table = tableOf([info('p', 'DT_FLOAT', [3])]);
  assert.equal(await body(table, { p: floats([3], 1, 2, 3) }), '{"p":[1,2,3]}');
  await assert.rejects(body(table, { p: floats([3], 1, 2, 3) }, [named, named]), { kind: 'model_failed' });
});

test('many rows are rendered in a worker, in parts, in their order', async () => {
  const values = Array.from({ length: 30_000 }, (_, index) => index);
  const text = await body(
    tableOf([info('p')]),
    { p: floats([values.length], ...values) },
    values.map(() => plain),
  );
  assert.deepEqual(JSON.parse(text).predictions, values);
});

test('parameters about classes are refused where the model has none', () => {
  const table = tableOf([info('p')]);
  for (const form of [{ top: 1 }, { wants: 'probabilities' }, { format: 'list' }] as const) {
    assert.throws(() => checkForm(table, { ...FORM, ...form }, 'query '), {
      kind: 'invalid_request',
      message: /^query (top|scores|format): /,
    });
  }
});
