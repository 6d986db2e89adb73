import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { assemble, TARGET } from './assemble.ts';

test('convolve.wasm is assembled from convolve.wat (npm run assemble writes it)', async () => {
  assert.deepEqual(await readFile(TARGET), await assemble());
});
