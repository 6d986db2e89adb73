import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../tests/until.ts';
import { createLog } from '../observe/log.ts';
import { reloading } from './reload.ts';

test('a changed file is reloaded, also behind a symbolic link; an invalid one is logged and ignored', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'reload-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const at = (name: string) => path.join(folder, name);
  const show = (target: string) => {
    symlinkSync(at(target), at('next'));
    renameSync(at('next'), at('shown'));
  };
  writeFileSync(at('first'), '1');
  writeFileSync(at('second'), '22');
  writeFileSync(at('bad'), 'three');
  show('first');
  const lines: string[] = [];
  const numbers = reloading({
    files: [at('shown')],
    load() {
      const number = Number(readFileSync(at('shown'), 'utf8'));
      if (Number.isNaN(number)) throw new Error('no number');
      return number;
    },
    log: createLog('info', { write: (line) => void lines.push(line) }),
    pollMs: 20,
  });
  t.after(numbers.close);

  assert.equal(numbers.current, 1);
  await sleep(100);
  show('second');
  await until(() => numbers.current === 22);
  show('bad');
  await until(() => lines.some((line) => line.includes('"level":"error"') && line.includes('no number')));
  assert.equal(numbers.current, 22);
  rmSync(at('shown'));
  await until(() => lines.filter((line) => line.includes('"level":"error"')).length === 2);
  assert.equal(numbers.current, 22);
});

test('A06: a file that could not be read is read again, though it does not change any more', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'reload-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'number');
  writeFileSync(file, '1');
  let failures = 0;
  const lines: string[] = [];
  const numbers = reloading({
    files: [file],
    load() {
      const text = readFileSync(file, 'utf8');
      if (text === '22' && failures++ < 3) throw new Error('EMFILE: too many open files');
      return Number(text);
    },
    log: createLog('info', { write: (line) => void lines.push(line) }),
    pollMs: 20,
  });
  t.after(numbers.close);
  await until(() => {
    // Once more until it is noticed: a change before the first stat() is not.
    if (failures === 0) writeFileSync(file, '22');
    return numbers.current === 22;
  });
  assert.equal(lines.filter((line) => line.includes('EMFILE')).length, 1, 'the same reason is logged once');
});
