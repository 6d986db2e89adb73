import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { writtenDocs } from '../docs/write.ts';

test('the tables of settings and errors are those of the code (make docs writes them)', async () => {
  for (const [file, text] of await writtenDocs()) assert.equal(await readFile(file, 'utf8'), text, file.pathname);
});
