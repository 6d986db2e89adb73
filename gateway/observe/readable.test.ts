import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { createLog } from './log.ts';
import { readableLines } from './readable.ts';

/** Characters that a terminal interprets or hides. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;
const EVIL = '\x1b[2J\x1b]0;owned\x07\u009b31m\u2028\u202egpj.exe\0';

/** What the terminal gets, without the colours of the formatter. */
async function shown(write: (log: ReturnType<typeof createLog>) => void): Promise<string> {
  const format = (await readableLines()) ?? assert.fail('pino-pretty is not installed');
  let text = '';
  write(createLog('debug', { write: (line: string) => (text += format(line)) }));
  return stripVTControlCharacters(text);
}

test('F32: a readable line has the level, the message and the fields', async () => {
  const line = await shown((log) => log.info({ model: 'm', status: 200 }, 'answered'));
  assert.match(line, /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: answered \{"model":"m","status":200\}\n$/);
});

test('H5: a readable line has no control characters of its fields', async () => {
  const line = await shown((log) => log.warn({ detail: EVIL, [EVIL]: 1, cause: new Error(EVIL) }, EVIL));
  for (const part of line.trimEnd().split('\n')) assert.doesNotMatch(part, CONTROLS);
});

test('NO_COLOR turns the colours off, where a terminal would have them', () => {
  const code = `import { readableLines } from ${JSON.stringify(new URL('./readable.ts', import.meta.url))};
    const format = await readableLines(); process.stdout.write(format('{"level":"info","time":0,"msg":"answered"}'))`;
  const printed = (env: Record<string, string>) =>
    execFileSync(process.execPath, ['--input-type=module', '-e', code], {
      env: { ...process.env, ...env },
      encoding: 'utf8',
      stdio: 'pipe',
    });
  assert.ok(printed({ FORCE_COLOR: '1' }).includes('\x1b['));
  assert.ok(!printed({ FORCE_COLOR: '1', NO_COLOR: '1' }).includes('\x1b'));
});
