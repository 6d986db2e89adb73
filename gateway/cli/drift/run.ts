/** `tensorgate drift`: compares the predictions of a log with a baseline. */
import { writeFile } from 'node:fs/promises';
import { isIn, type LogCounts, type Period, predictionsOf } from '../log/features.ts';
import { createOutput } from '../output.ts';
import { findBaselines } from './baselines.ts';
import { htmlOf } from './html.ts';
import { type DriftReport, versionReport } from './report.ts';
import { Tally } from './tally.ts';
import { textOf } from './text.ts';

export type DriftOptions = {
  readonly baseline?: string;
  readonly models: string;
  readonly period: Period;
  /** Predictions that a feature needs for a verdict. */
  readonly minimum: number;
  readonly html?: string;
  readonly json: boolean;
};

/** As those of diff: nothing was found, something was found, and no comparison was possible. */
const EXIT_CODES = { quiet: 0, drifted: 1, unknown: 2 } as const;

/** Prints the report and sets the exit code. Throws ConfigError, ModelsError and BaselineError. */
export async function runDrift(log: readonly string[], options: DriftOptions): Promise<void> {
  const report = await driftOf(log, options);
  if (options.html !== undefined) await writeFile(options.html, htmlOf(report));
  createOutput(options.json).result(report, textOf(report));
  const verdicts = report.versions.map(({ verdict }) => verdict);
  const found = (['drifted', 'quiet'] as const).find((verdict) => verdicts.includes(verdict));
  process.exitCode = EXIT_CODES[found ?? 'unknown'];
}

/** Reads the log line by line: its size does not matter. */
export async function driftOf(
  log: readonly string[],
  options: Omit<DriftOptions, 'html' | 'json'>,
): Promise<DriftReport> {
  const counts: LogCounts = { unreadable: 0 };
  const baselines = await findBaselines(log, { ...options, baseline: options.baseline }, counts);
  const tally = new Tally(baselines.of);
  for await (const prediction of predictionsOf(log, counts)) {
    if (isIn(baselines.period, prediction.time)) (await tally.of(prediction)).add(prediction);
  }
  const versions = tally.versions.map((version) => versionReport(version, options.minimum));
  return { versions, minimum: options.minimum, unreadableLines: counts.unreadable };
}
