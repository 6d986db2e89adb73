import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { settingsWithoutRow } from '../docs/limits.ts';
import { writtenDocs } from '../docs/write.ts';

test('the tables of settings, errors and limits are those of the code (make docs writes them)', async () => {
  for (const [file, text] of await writtenDocs()) assert.equal(await readFile(file, 'utf8'), text, file.pathname);
});

test('every limit that can be set has its row in docs/limits.ts', () => {
  assert.deepEqual(settingsWithoutRow(), []);
});
