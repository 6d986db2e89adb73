import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedRun } from './shared-run.ts';

test('calls while a run is going share the next one, which starts after it', async () => {
  const ends: (() => void)[] = [];
  const run = new SharedRun(() => new Promise<void>((resolve) => ends.push(resolve)));
  const turn = () => new Promise(setImmediate);
  const first = run.run();
  await turn();
  const later = [run.run(), run.run(), run.run()];
  await turn();
  assert.equal(ends.length, 1);
  ends[0]?.();
  await first;
  await turn();
  assert.equal(ends.length, 2);
  ends[1]?.();
  await Promise.all(later);
  const last = run.run();
  await turn();
  assert.equal(ends.length, 3);
  ends[2]?.();
  await last;
});
