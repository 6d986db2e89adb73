/** What `tensorgate accuracy` prints: as JSON and as text. */
import type { Interval } from '../../domain/evidence/measured.ts';
import { wilsonInterval } from '../../domain/evidence/share.ts';
import { percentText } from '../../domain/evidence/words.ts';
import { columns } from '../output.ts';
import { plainName } from '../plain-name.ts';
import type { ReadLog } from './read-log.ts';
import { calibrationError } from './statistics.ts';
import type { VersionTally } from './tally.ts';

/** Labels and classes that the text has; --json has all. */
const MAX_SHOWN = 20;

type Confused = { readonly label: string; readonly predicted: string; readonly count: number };
type ReliabilityBin = {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly score: number;
  readonly accuracy: number;
};

export type VersionReport = Pick<VersionTally, 'model' | 'version' | 'predictions' | 'labelled' | 'correct'> & {
  /** Null without labels, as the interval. */
  readonly accuracy: number | null;
  /** 95 %. */
  readonly interval: Interval | null;
  readonly confusion: readonly Confused[];
  readonly calibration: { readonly error: number | null; readonly bins: readonly ReliabilityBin[] };
};

export type AccuracyReport = {
  readonly versions: readonly VersionReport[];
  readonly labels: number;
  readonly labelsWithoutPrediction: number;
  readonly unreadableLines: number;
};

export function reportOf({ tally, unreadable }: ReadLog): AccuracyReport {
  const { labels, labelsWithoutPrediction } = tally;
  return { versions: tally.versions.map(ofVersion), labels, labelsWithoutPrediction, unreadableLines: unreadable };
}

function ofVersion({ model, version, predictions, labelled, correct, confusion, bins }: VersionTally): VersionReport {
  const confused = [...confusion].flatMap(([label, row]) =>
    Array.from(row, ([predicted, count]) => ({ label, predicted, count })),
  );
  const filled = bins.filter(({ count }) => count > 0);
  return {
    model,
    version,
    predictions,
    labelled,
    correct,
    accuracy: labelled === 0 ? null : correct / labelled,
    interval: labelled === 0 ? null : wilsonInterval({ count: correct, total: labelled }),
    confusion: confused.sort((one, other) => other.count - one.count),
    calibration: {
      error: calibrationError(bins) ?? null,
      bins: filled.map((bin) => ({ ...bin, score: bin.score / bin.count, accuracy: bin.correct / bin.count })),
    },
  };
}

/** The report as text: all versions in one table, then the matrix and the bins of each. */
export function textOf({ versions, labels, labelsWithoutPrediction, unreadableLines }: AccuracyReport): string {
  if (versions.length === 0) return 'no predictions in the log';
  const rows = versions.map(({ model, version, predictions, labelled, accuracy, interval, calibration }) => [
    model,
    String(version),
    String(predictions),
    String(labelled),
    accuracy === null ? '-' : percentText(accuracy),
    interval === null ? '-' : interval.map((share) => percentText(share)).join(' to '),
    calibration.error === null ? '-' : calibration.error.toFixed(3),
  ]);
  const heads = ['MODEL', 'VERSION', 'PREDICTIONS', 'LABELLED', 'ACCURACY', '95 % INTERVAL', 'CALIBRATION ERROR'];
  const notes = [
    `${labels} labels, ${labelsWithoutPrediction} of them without a prediction in the log`,
    ...(unreadableLines > 0 ? [`${unreadableLines} lines cannot be read`] : []),
  ];
  const parts = versions.filter(({ labelled }) => labelled > 0).flatMap((one) => [matrixOf(one), binsOf(one)]);
  return [columns(heads, rows), ...parts, notes.join('\n')].filter((part) => part !== '').join('\n\n');
}

/** A row for each label, a column for each class that was predicted. */
function matrixOf({ model, version, confusion }: VersionReport): string {
  const names = [...new Set(confusion.flatMap(({ label, predicted }) => [label, predicted]))].sort();
  const shown = names.slice(0, MAX_SHOWN);
  const counts = new Map(confusion.map(({ label, predicted, count }) => [JSON.stringify([label, predicted]), count]));
  const rows = shown.map((label) => [
    plainName(label),
    ...shown.map((predicted) => String(counts.get(JSON.stringify([label, predicted])) ?? 0)),
  ]);
  const more = names.length > shown.length ? `\n${names.length - shown.length} more classes: see --json` : '';
  return `${model} version ${version}: labels (rows) and what was predicted\n${columns(['', ...shown.map((name) => plainName(name))], rows)}${more}`;
}

function binsOf({ model, version, calibration: { bins } }: VersionReport): string {
  if (bins.length === 0) return '';
  const rows = bins.map(({ from, to, count, score, accuracy }) => [
    `${from.toFixed(1)} to ${to.toFixed(1)}`,
    String(count),
    percentText(score),
    percentText(accuracy),
  ]);
  const title = `${model} version ${version}: how often predictions with a score are right`;
  return `${title}\n${columns(['SCORE', 'PREDICTIONS', 'MEAN SCORE', 'ACCURACY'], rows)}`;
}
