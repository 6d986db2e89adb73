import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IDS, idsOf } from './ids.ts';
import { NOT_YET } from './not-yet.ts';
import { report } from './reporter.ts';

const outcome = (name: string, result: 'pass' | 'fail' | 'skip' = 'pass', why = '') => {
  return { name, result, durationMs: 1, why, came: ['403'], memory: [] };
};
/** A reason for every id except these. */
const allBut = (...ids: string[]) =>
  Object.fromEntries(IDS.filter((id) => !ids.includes(id)).map((id) => [id, 'later']));

test('the table has 157 ids, and NOT_YET has only ids of the table', () => {
  assert.deepEqual([IDS.length, IDS[0], IDS.at(-1)], [157, 'A1', 'H6']);
  assert.deepEqual(
    Object.keys(NOT_YET).filter((id) => !IDS.includes(id)),
    [],
  );
});

test('ids are read from test names', () => {
  assert.deepEqual(idsOf('A24: rebinding'), ['A24']);
  assert.deepEqual(idsOf('A3, A4: spellings'), ['A3', 'A4']);
  assert.deepEqual(idsOf('B14 and B15: kinds'), ['B14', 'B15']);
  assert.deepEqual(idsOf('A8 to A11: wrappings'), ['A8', 'A9', 'A10', 'A11']);
  assert.deepEqual(idsOf('A15 and the other edges'), ['A15']);
  assert.deepEqual(idsOf('the table, A1'), []);
});

describe('the report', () => {
  test('joins the tests of an id and counts the ids', () => {
    const { lines, isGood } = report([outcome('A1: one'), outcome('A1: other')], allBut('A1'));
    assert.deepEqual(lines.slice(0, 2), ['A1  pass    2 ms | one; other | came: 403', 'A2  not yet later']);
    assert.equal(lines.at(-1), '1 of 157 pass, 0 fail, 0 skipped, 156 not yet');
    assert.ok(isGood);
  });

  const bad = {
    'a test that failed': report([outcome('A1: one'), outcome('A1: other', 'fail', 'boom')], allBut('A1')),
    'an id with neither test nor reason': report([], allBut('A1')),
    'an id with both test and reason': report([outcome('A1: one')], allBut()),
    'a file that could not run': report([outcome('/x.test.ts', 'fail')], allBut()),
    'a reason for an unknown id': report([], { ...allBut(), Z1: 'never' }),
  };
  for (const [what, { isGood }] of Object.entries(bad)) test(`is not good: ${what}`, () => assert.equal(isGood, false));

  test('an id with only skipped tests is neither passed nor failed', () => {
    const { lines, isGood } = report([outcome('A1: one', 'skip', 'no namespaces here')], allBut('A1'));
    assert.equal(lines[0], 'A1  skip    A1: one: no namespaces here');
    assert.ok(isGood);
  });
});
