/** `npm run test:hostile`: runs all tests with an id of the acceptance table and prints a line for each id. */
import { glob, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import { ID_NAME } from './ids.ts';
import { NOT_YET } from './not-yet.ts';
import { collect, report } from './reporter.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** An id in a test name or in a table of cases. */
const HAS_ID = /\b[A-H]\d{1,2}\b[^\n]*: /;

/** The test files with an id. Starting all files would take minutes. */
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
