import assert from 'node:assert/strict';
import { mkdir, readdir, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { temporary, writeFiles } from '../../../tests/candidates.ts';
import { makeStage, removeLeftovers } from './stage.ts';

/** Above the largest process id on Linux. */
const NO_PROCESS = 2 ** 22 + 1;
const TWO_DAYS_AGO_S = Date.now() / 1000 - 2 * 24 * 60 * 60;

test('staging folders of ended processes are removed; those of running ones, and versions, stay', async (t) => {
  const model = await temporary(t);
  const mine = await makeStage(model);
  const here = hostname();
  const stay = ['1', '.withdrawn-2', `.push-${process.ppid}@${here}-AAAAAA`, `.push-${NO_PROCESS}@else-where-BBBBBB`];
  const go = [`.push-${NO_PROCESS}@${here}-CCCCCC`, `.push-1@else-where-DDDDDD`, '.deleted-abc'];
  for (const name of [...stay, ...go]) await writeFiles(path.join(model, name, 'version'), { 'model.onnx': 'half' });
  await mkdir(path.join(model, 'evaluation'));
  await utimes(path.join(model, '.push-1@else-where-DDDDDD'), TWO_DAYS_AGO_S, TWO_DAYS_AGO_S);
  // In parallel, as in several pushes.
  await Promise.all([1, 2, 3].map(() => removeLeftovers(model)));
  assert.deepEqual((await readdir(model)).sort(), [...stay, path.basename(mine), 'evaluation'].sort());
});
