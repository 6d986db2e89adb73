import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soak } from './soak-load.ts';

test('F3: good and bad requests of A to D, mixed, for five seconds: npm run soak in short', async (t) => {
  const { answers, unexpected, rssMb, open, loopP99Ms, fatal, exitCode } = await soak(5000);
  const kinds = Object.entries(answers).map(([kind, count]) => `${count} ${kind}`);
  t.diagnostic(
    `came: ${kinds.join(', ')}; ${open.start.fds} fds, then ${open.end.fds}; loop p99 ${loopP99Ms.median} ms`,
  );
  t.diagnostic(`memory: ${Math.round(rssMb.start)} MB, then ${Math.round(rssMb.end)} MB`);
  assert.deepEqual([unexpected, fatal, exitCode], [[], 0, 0]);
  // Clients keep a few connections; each of the requests above would leave one, if they were what leaks.
  assert.ok(open.end.fds <= open.start.fds + 8, JSON.stringify(open));
});
