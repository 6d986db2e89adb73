import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soak } from './soak-load.ts';

test('F3: five seconds of mixed good and bad requests leave no open files and no fatal log lines', async (t) => {
  const { answers, unexpected, rssMb, open, loopP99Ms, fatal, exitCode } = await soak(5000);
  const kinds = Object.entries(answers).map(([kind, count]) => `${count} ${kind}`);
  t.diagnostic(
    `came: ${kinds.join(', ')}; ${open.start.fds} fds, then ${open.end.fds}; loop p99 ${loopP99Ms.median} ms`,
  );
  t.diagnostic(`memory: ${Math.round(rssMb.start)} MB, then ${Math.round(rssMb.end)} MB`);
  assert.deepEqual([unexpected, fatal, exitCode], [[], 0, 0]);
  // Clients keep a few connections open. If requests leaked connections, there would be hundreds.
  assert.ok(open.end.fds <= open.start.fds + 8, JSON.stringify(open));
});
