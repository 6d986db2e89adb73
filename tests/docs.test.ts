import assert from 'node:assert/strict';
import { access, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { settingsWithoutRow } from '../docs/limits.ts';
import { writtenDocs } from '../docs/write.ts';

test('the tables of settings, errors and limits match the code (`make docs` writes them)', async () => {
  for (const [file, text] of await writtenDocs()) assert.equal(await readFile(file, 'utf8'), text, file.pathname);
});

test('every limit that can be set has a row in docs/limits.ts', () => {
  assert.deepEqual(settingsWithoutRow(), []);
});

test('the files that SECURITY.md names exist', async () => {
  const text = await readFile(new URL('../SECURITY.md', import.meta.url), 'utf8');
  const files = [...text.matchAll(/`((?:gateway|tests|\.github)\/[^`\s]+)`/g)].map(([, file = '']) => file);
  assert.ok(files.length > 10);
  for (const file of files) await access(new URL(`../${file}`, import.meta.url));
});
