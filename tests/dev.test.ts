/** `make dev`: the gateway with restart on change. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { utimes } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Whether a process or a process group (negative) has not ended. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH');
    return false;
  }
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));

test('make dev restarts the gateway when its code changes, and ends on Ctrl-C', async (t) => {
  const env = { ...process.env, TF_SERVING_HOST: '127.0.0.1:1', HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0' };
  // In a new process group, because a terminal sends Ctrl-C to the whole group.
  const dev = spawn('npm', ['run', '--silent', 'dev'], {
    cwd: ROOT,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const group = -(dev.pid ?? assert.fail('npm did not start'));
  t.after(() => dev.exitCode === null && dev.signalCode === null && process.kill(group, 'SIGKILL'));
  let output = '';
  dev.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
    dev.emit('output');
  });
  const nextListening = async () => {
    const line = '"msg":"listening"';
    while (!output.includes(line)) await once(dev, 'output', { signal: AbortSignal.timeout(60_000) });
    output = output.replace(line, '');
  };
  await nextListening();
  const now = new Date();
  await utimes(new URL('../gateway/greeting.ts', import.meta.url), now, now);
  await nextListening();
  process.kill(group, 'SIGINT');
  await once(dev, 'exit');
  // npm ends before the gateway has drained.
  for (let left = 200; left > 0 && isRunning(group); left -= 1) await sleep(50);
  assert.ok(!isRunning(group), 'a process of the group still runs');
});
