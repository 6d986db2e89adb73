/**
 * `npm run fuzz:images`: decodes 10,000 mutants of each of 100 images in child processes. FUZZ_SECONDS limits the time.
 * A finding is reported by two numbers, and its bytes are written to the corpus of the image headers.
 */
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { saveFinding } from './fuzz.ts';
import { image } from './image.ts';
import { type Case, casesOf, fuzzImages, mutantOf } from './images.ts';

const MUTATIONS = 10_000;
const REPORT_EVERY = 10_000;

const endMs = performance.now() + 1000 * Number(process.env.FUZZ_SECONDS ?? Number.POSITIVE_INFINITY);
const from = randomInt(2 ** 30);
let count = 0;

function* cases(): Generator<Case> {
  for (const mutant of casesOf({ from, mutations: MUTATIONS })) {
    if (performance.now() > endMs) return;
    if (count % REPORT_EVERY === 0)
      console.log(`${count} mutants, at mutation ${mutant.mutation} of image ${mutant.picture}`);
    count += 1;
    yield mutant;
  }
}

const findings = await fuzzImages(cases(), { children: availableParallelism() });
console.log(`${count} mutants, ${findings.length} findings`);
for (const { what, ...found } of findings) {
  const file = await saveFinding(image, { input: mutantOf(found), error: what });
  console.error(`${fileURLToPath(file)}, mutation ${found.mutation} of image ${found.picture}: ${what}`);
  process.exitCode = 1;
}
