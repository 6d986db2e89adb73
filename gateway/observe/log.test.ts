import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../errors.ts';
import { createLog } from './log.ts';

/** The lines that one call of the logger writes. */
function written(write: (log: ReturnType<typeof createLog>) => void): string {
  let text = '';
  write(createLog('debug', { write: (line: string) => (text += line) }));
  return text;
}

/** Characters that a terminal interprets or hides. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;
const EVIL = '\x1b[2J\x1b]0;owned\x07\r\n{"level":"info"}\n\u009b31m\u2028\u202egpj.exe\0';
const LONG = 'x'.repeat(1e6);

test('H5: control characters in any field are escaped, on one line, and parse to the same text', () => {
  const cause = new GatewayError('source_failed', EVIL, { cause: new Error(EVIL) });
  const fields = { detail: EVIL, [EVIL]: 1, list: [EVIL], deep: { er: { text: EVIL } }, cause };
  const line = written((log) => log.child({ requestId: EVIL }).warn(fields, EVIL));
  assert.equal(line.indexOf('\n'), line.length - 1);
  assert.doesNotMatch(line.trimEnd(), CONTROLS);
  const { detail, msg, list, requestId } = JSON.parse(line);
  assert.deepEqual([detail, msg, list[0], requestId], [EVIL, EVIL, EVIL, EVIL]);
});

test('H5: texts of 1 MB are cut, in every place', () => {
  const cause = new Error(LONG, { cause: new Error(LONG) });
  const fields = { detail: LONG, cause, other: { [LONG]: LONG }, list: Array(1e5).fill('y') };
  const line = written((log) => log.error(fields, LONG));
  assert.ok(line.length < 30_000, `${line.length} characters`);
  assert.match(JSON.parse(line).detail, /^x{2000}… \(1000000 characters\)$/);
});

test('H5: a circular cause and 1000 nested levels are cut', () => {
  const cause: Error & { self?: unknown } = new Error('round');
  cause.self = { cause };
  let deep: object = {};
  for (let level = 0; level < 1000; level += 1) deep = { deep };
  const line = written((log) => log.error({ cause, deep }, 'round'));
  assert.equal(JSON.parse(line).cause.message, 'round');
});

test('a line of short values is logged unchanged', () => {
  const line = written((log) => log.info({ method: 'POST', status: 200, fetchMs: 1.5, model: 'm' }, 'answered'));
  const { time, ...rest } = JSON.parse(line);
  assert.deepEqual(rest, { level: 'info', method: 'POST', status: 200, fetchMs: 1.5, model: 'm', msg: 'answered' });
  assert.ok(Date.parse(time) > 0);
});
