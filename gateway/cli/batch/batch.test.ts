import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExact } from './exact.ts';
import { groupsOf, type Item } from './item.ts';
import { Columns, recordOf } from './output/columns.ts';
import { lineOf } from './progress.ts';
import { isInShard, parseShard, sizeOf } from './shard.ts';
import { Tally } from './summary.ts';

test('integers beyond 2^53 keep their digits', () => {
  const text = '{"id":12345678901234567890,"x":[0.1,1e+300,-9007199254740993]}';
  assert.equal(JSON.stringify(parseExact(text)), text);
});

test('shards are parsed, refused with an example, and together the whole', () => {
  for (const wrong of ['3/3', '1', '-1/2', 'a/b', '0/0', '1/2/3'])
    assert.throws(() => parseShard(wrong), /such as 0\/3/);
  const shards = ['0/3', '1/3', '2/3'].map(parseShard);
  for (const total of [0, 1, 2, 7, 9]) {
    const items = [...Array(total).keys()];
    const parts = shards.map((shard) => items.filter((item) => isInShard(item, shard)));
    assert.deepEqual(parts.flat().sort(), items);
    assert.deepEqual(
      parts.map(({ length }) => length),
      shards.map((shard) => sizeOf(shard, total)),
    );
  }
});

test('groups have at most the wanted size and 256 kB, and a picture is alone', async () => {
  const large = JSON.stringify('x'.repeat(200_000));
  const items: Item[] = [
    ...['1', '2', '3', large, large].map((json, index) => ({ index, json })),
    { index: 5, picture: async () => Buffer.of(1) },
    { index: 6, json: '4' },
  ];
  const list = async function* () {
    yield* items;
  };
  const groups = await Array.fromAsync(groupsOf(list(), (index) => index !== 1, 3));
  const indexes = groups.map((group) => group.map(({ index }) => index));
  assert.deepEqual(indexes, [[0, 2, 3], [5], [4, 6]]);
});

test('columns have the type of their values, text where they are mixed', () => {
  const rows = [
    { index: 0, input: 'a', prediction: { p: 0.5, yes: true, tags: ['x'], mixed: 1 } },
    { index: 1, input: 'b', error: { kind: 'invalid_request', detail: 'no' } },
    { index: 2, input: 'c', prediction: { p: 1, yes: false, tags: [], mixed: 'two' } },
  ];
  const columns = new Columns();
  for (const row of rows) columns.add(row);
  const list = columns.list();
  assert.deepEqual(
    list.map(({ name, type }) => `${name} ${type}`),
    [
      'index INT32',
      'input STRING',
      'prediction.p DOUBLE',
      'prediction.yes BOOLEAN',
      'prediction.tags STRING',
      'prediction.mixed STRING',
      'error.kind STRING',
      'error.detail STRING',
    ],
  );
  assert.deepEqual(
    rows.map((row) => recordOf(row, list)),
    [
      [0, 'a', 0.5, true, '["x"]', '1', null, null],
      [1, 'b', null, null, null, null, 'invalid_request', 'no'],
      [2, 'c', 1, false, '[]', 'two', null, null],
    ],
  );
});

test('the summary counts the best class of each prediction, and errors by kind', () => {
  const tally = new Tally(['hat', 'shoes']);
  tally.count({ index: 0, prediction: { id: 9, hat: 0.1, shoes: 0.9 } });
  tally.count({ index: 1, error: { kind: 'image_unreadable', detail: '' } });
  tally.count({ index: 2, prediction: { hat: -1, shoes: -2 } });
  assert.deepEqual(tally.summary('out.csv', 3, 1.5), {
    output: 'out.csv',
    predicted: 2,
    errors: { image_unreadable: 1 },
    classes: { shoes: 1, hat: 1 },
    seconds: 1.5,
    perSecond: 2,
  });
});

test('the line of progress says how far, how fast and how long still', () => {
  const line = lineOf({ done: 1000, total: 4000, errors: 2, limit: 8 }, 60);
  assert.equal(line, '[=====>              ] 1,000 / 4,000 · 60.0 a second · 50 s left · 2 errors · 8 at once');
  assert.match(
    lineOf({ done: 0, total: 4, errors: 0, limit: 1, waits: 'no server' }, 0),
    /0 \/ 4 .* waits: no server$/,
  );
});
