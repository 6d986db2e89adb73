import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

const SINK = new URL('./sink.ts', import.meta.url).href;
const LINE_BYTES = 1024;

/**
 * A process that writes 3,000 lines of 1 KiB, prints the number of dropped lines to stderr, and later writes one more
 * line.
 */
const SCRIPT = `
  import { openSink } from ${JSON.stringify(SINK)};
  const { destination, dropped } = openSink();
  const line = (index) => destination.write(String(index).padEnd(${LINE_BYTES - 1}) + '\\n');
  for (let index = 0; index < 3000; index += 1) line(index);
  process.stderr.write(String(dropped()));
  process.stdin.once('data', () => line('last'));
`;

test('F12: with an unread pipe the process goes on, lines above 1 MiB are dropped, the rest arrives in order', async (t) => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT], { stdio: ['pipe', 'pipe', 'pipe'] });
  const [said] = await once(child.stderr, 'data');
  const dropped = Number(said);
  t.diagnostic(`came: ${dropped} of 3000 lines dropped`);
  assert.ok(dropped > 1000 && dropped < 2000, String(said));

  child.stdin.end('\n');
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk);
  const lines = Buffer.concat(chunks)
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.trim());
  const kept = Array.from({ length: 3000 - dropped }, (_, index) => `${index}`);
  assert.deepEqual(lines.slice(0, kept.length), kept);
  assert.equal(child.exitCode ?? (await once(child, 'exit'))[0], 0);
});

test('a line that goes to a closed pipe is told as dropped', async () => {
  const script = `
    import { openSink } from ${JSON.stringify(SINK)};
    const { write } = openSink();
    process.stdin.once('data', () => {
      write('one\\n');
      setImmediate(() => process.stderr.write(String(write('two\\n'))));
    });
    process.stderr.write('ready');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'pipe'] });
  await once(child.stderr, 'data');
  child.stdout.destroy();
  await once(child.stdout, 'close');
  child.stdin.end('\n');
  const [said] = await once(child.stderr, 'data');
  assert.equal(String(said), 'false');
  assert.equal(child.exitCode ?? (await once(child, 'exit'))[0], 0);
});
