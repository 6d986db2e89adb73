/** `tensorgate accuracy`: how often the predictions of a log were right, by the labels in it. */
import { createOutput } from '../output.ts';
import { readLog } from './read-log.ts';
import { reportOf, textOf } from './report.ts';

/** Prints the report. Throws ConfigError for a path that does not exist. */
export async function runAccuracy(paths: readonly string[], json: boolean): Promise<void> {
  const report = reportOf(await readLog(paths));
  createOutput(json).result(report, textOf(report));
}
