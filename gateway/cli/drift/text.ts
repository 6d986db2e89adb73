/** The report of `tensorgate drift` as text. */
import { columns } from '../output.ts';
import { plainName } from '../plain-name.ts';
import type { DriftReport, FeatureReport, Measured, VersionReport } from './report.ts';
import { labelOf } from './thresholds.ts';

/** One row for each statistic. */
export function textOf({ versions, minimum, unreadableLines }: DriftReport): string {
  if (versions.length === 0) return 'no predictions in the log';
  const rows = versions.flatMap((version) =>
    version.features.flatMap((feature) => feature.statistics.map((one) => rowOf(version, feature, one))),
  );
  const heads = ['MODEL', 'VERSION', 'FEATURE', 'PREDICTIONS', 'STATISTIC', 'VALUE', 'THRESHOLD', 'VERDICT'];
  const notes = [
    ...versions.map(noteOf),
    ...(rows.some((row) => row.at(-1) === 'too few') ? [`too few: below ${minimum} predictions, see --minimum`] : []),
    ...(unreadableLines > 0 ? [`${unreadableLines} lines cannot be read`] : []),
  ];
  return [rows.length > 0 ? columns(heads, rows) : '', notes.join('\n')].filter((part) => part !== '').join('\n\n');
}

function rowOf({ model, version }: VersionReport, { feature, count }: FeatureReport, measured: Measured): string[] {
  const { statistic, value, threshold, verdict } = measured;
  return [
    plainName(model),
    String(version),
    plainName(feature),
    String(count),
    labelOf(statistic),
    value === null ? '-' : value.toFixed(3),
    threshold === null ? '-' : String(threshold),
    verdict ?? '-',
  ];
}

/** A sentence about a version. */
export function noteOf({ model, version, rows, from, to, baseline, verdict, features }: VersionReport): string {
  const name = `${plainName(model)} version ${version}`;
  const log = `${rows} predictions from ${from} to ${to}`;
  if (!baseline) return `${name}: ${log}; no baseline: tensorgate baseline makes one`;
  const source = baseline.source === null ? '' : ` (${plainName(baseline.source, 80)})`;
  const drifted = features.filter((one) => one.verdict === 'drifted').map(({ feature }) => plainName(feature));
  const found = verdict === 'drifted' ? `${drifted.join(', ')} drifted` : verdict;
  return `${name}: ${found}; ${log}, baseline of version ${baseline.version} with ${baseline.rows} rows${source}`;
}
