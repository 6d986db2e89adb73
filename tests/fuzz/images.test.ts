/** A short run of `npm run fuzz:images`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { casesOf, fuzzImages } from './images.ts';

const MUTATIONS = 20;

test(`C2: ${MUTATIONS} mutants of each of 100 images are decoded or refused, and no process crashes`, async (t) => {
  let count = 0;
  const counted = function* () {
    for (const mutant of casesOf({ from: 0, mutations: MUTATIONS })) {
      count += 1;
      yield mutant;
    }
  };
  const findings = await fuzzImages(counted(), { children: 2 });
  t.diagnostic(`came: ${count} mutants`);
  assert.deepEqual(findings, []);
  assert.ok(count >= 50 * MUTATIONS);
});
