import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { assemble, fileOf, PROGRAMS } from './assemble.ts';

for (const program of PROGRAMS) {
  test(`${program.target} is compiled from ${program.source} (npm run assemble writes it)`, async () => {
    assert.deepEqual(await readFile(fileOf(program)), Buffer.from(await assemble(program)));
  });
}
