/**
 * Runs the test files of the arguments, in processes, and prints the report. Fails if a test fails.
 *
 * `node --test` sorts files by name, and would leave a long test alone at the end. Those of tests/ start processes and take
 * longest: they come first, and the short ones beside the code fill the end.
 */
import { availableParallelism } from 'node:os';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** A test waits for its processes much of its time: one more than there are cores keeps them busy. */
const CONCURRENCY = availableParallelism() + 1;
const TIMEOUT_MS = 300_000;

const isSlow = (file: string) => file.startsWith('tests/');
const files = process.argv.slice(2).sort((one, other) => Number(isSlow(other)) - Number(isSlow(one)));

run({ files, concurrency: CONCURRENCY, timeout: TIMEOUT_MS })
  .on('test:summary', ({ file, success }) => {
    // The summary without a file is that of all.
    if (file === undefined && !success) process.exitCode = 1;
  })
  .compose(spec)
  .pipe(process.stdout);
