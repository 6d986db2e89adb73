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

test('A06: connections are held at half of what the process itself leaves, which is said at the start', () => {
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => void lines.push(line) });
  const plan = planDescriptors({ maxConnections: 10_000, decoders: 2 }, log, 256);
  assert.deepEqual(plan, {
    maxConnections: 82,
    maxGrpcConnections: 9,
    maxAdminConnections: 9,
    maxSourceSockets: 49,
  });
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /"openFiles":256,.*MAX_CONNECTIONS is held at 82/);
  for (const limit of [2 ** 20, Number.POSITIVE_INFINITY]) {
    assert.equal(planDescriptors({ maxConnections: 10_000, decoders: 2 }, log, limit).maxConnections, 10_000);
  }
  assert.equal(lines.length, 1, 'nothing to say');
});

test('A06: a limit that leaves no room for clients is refused, with the least that works', () => {
  const log = createLog('silent', { write: () => undefined });
  for (const decoders of [1, 2, 4]) {
    const least = 72 + 10 * decoders;
    assert.throws(() => planDescriptors({ maxConnections: 10_000, decoders }, log, least - 1), {
      message: `ulimit -n: ${least - 1} open files are too few; the gateway needs at least ${least} with DECODERS=${decoders}`,
    });
    const { maxConnections, ...others } = planDescriptors({ maxConnections: 10_000, decoders }, log, least);
    const opened = Object.values(others).reduce((sum, count) => sum + count, maxConnections);
    assert.ok(maxConnections >= 12 && opened <= 32, `${maxConnections}, ${opened}`);
  }
});
