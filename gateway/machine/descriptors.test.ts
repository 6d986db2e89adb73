import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { createLog } from '../observe/log.ts';
import { descriptorLimit, planDescriptors } from './descriptors.ts';

test("A06: the process's own limit is read", { skip: !existsSync('/proc/self/limits') }, () => {
  const module = new URL('descriptors.ts', import.meta.url).pathname;
  const code = `import('${module}').then(({ descriptorLimit }) => console.log(descriptorLimit()))`;
  const shell = 'ulimit -n 200 && exec "$0" -e "$1"';
  assert.equal(Number(execFileSync('sh', ['-c', shell, process.execPath, code], { encoding: 'utf8' })), 200);
  assert.equal(descriptorLimit('/no/such/file'), Number.POSITIVE_INFINITY);
});

test('A06: connections are held at half of the limit, which is said at the start', () => {
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => void lines.push(line) });
  const plan = planDescriptors(10_000, log, 256);
  assert.deepEqual(plan, {
    maxConnections: 128,
    maxGrpcConnections: 16,
    maxAdminConnections: 16,
    maxSourceSockets: 64,
  });
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /"openFiles":256,.*MAX_CONNECTIONS is held at 128/);
  assert.equal(planDescriptors(10_000, log, 2 ** 20).maxConnections, 10_000);
  assert.equal(planDescriptors(10_000, log, Number.POSITIVE_INFINITY).maxConnections, 10_000);
  assert.equal(lines.length, 1, 'nothing to say');
});
