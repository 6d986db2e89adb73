/** `npm run test:hostile`: every test of the repository that is named by a line of the acceptance table, a line each. */
import { glob, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import { ID_NAME } from './ids.ts';
import { NOT_YET } from './not-yet.ts';
import { collect, report } from './reporter.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** An id as names and tables of cases have it. */
const HAS_ID = /\b[A-H]\d{1,2}\b[^\n]*: /;

/** The test files that speak of an id; starting the others would take minutes. */
async function filesWithIds(): Promise<string[]> {
  const files = await Array.fromAsync(glob('{gateway,serving/embedded,tests}/**/*.test.ts', { cwd: ROOT }));
  const texts = await Promise.all(files.map((file) => readFile(path.join(ROOT, file), 'utf8')));
  return files.filter((_, index) => HAS_ID.test(texts[index] ?? '')).map((file) => path.join(ROOT, file));
}

const outcomes = await collect(
  run({
    files: (await filesWithIds()).sort(),
    testNamePatterns: [ID_NAME],
    concurrency: Math.min(2, availableParallelism()),
    timeout: 300_000,
  }),
);
const { lines, isGood } = report(outcomes, NOT_YET);
process.stdout.write(`${lines.join('\n')}\n`);
process.exitCode = isGood ? 0 : 1;
