import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SharedRun } from './shared-run.ts';

test('calls while a run is going share the next one, which starts after it', async () => {
  let started = 0;
  const run = new SharedRun(async () => {
    started += 1;
    await sleep(5);
  });
  const first = run.run();
  await sleep(1);
  const later = [run.run(), run.run(), run.run()];
  await sleep(1);
  assert.equal(started, 1);
  await Promise.all([first, ...later]);
  assert.equal(started, 2);
  await run.run();
  assert.equal(started, 3);
});
