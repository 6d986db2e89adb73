/** How unusual an input is: its distance from what is typical of a baseline, and percentiles in it. docs/drift.md explains them. */
import { type Baseline, type BaselineFeature, QUANTILES } from './baseline.ts';
import { bucketsOf, countsOf, cutsOf, type FeatureValue } from './buckets.ts';

/** The interquartile range of a normal distribution is 1.349 standard deviations. */
const IQR_OF_NORMAL = 1.3489795;

/** Infinity would have no place in JSON. */
const MAX_SQUARE = 1e6;
const LEAST_COUNT = 0.5;

/** Where the middle of a number is, and how far from it is usual: a standard deviation, where the numbers are normal. */
export type Typical = { readonly center: number; readonly spread: number };

/** Features of inputs: those of answers tell what the model made of them. */
const OF_ANSWERS: ReadonlySet<string> = new Set(['class', 'score', 'entropy']);

/** Whether a feature is one of inputs. */
export function isOfInput(feature: string): boolean {
  return !OF_ANSWERS.has(feature) && !feature.startsWith('output.');
}

/** The 101 quantiles of sorted numbers, with linear interpolation. At least one number. */
export function quantilesOf(sorted: ArrayLike<number>): number[] {
  return Array.from({ length: QUANTILES }, (_, percent) => quantile(sorted, percent / (QUANTILES - 1)));
}

function quantile(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/**
 * The median, and the interquartile range as a standard deviation: outliers do not change them. Where half of the numbers are the same the
 * standard deviation is taken, and 1 where all are.
 */
export function typicalOf(sorted: ArrayLike<number>): Typical {
  const center = quantile(sorted, 0.5);
  const range = (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / IQR_OF_NORMAL;
  return { center, spread: range || deviationOf(sorted) || 1 };
}

function deviationOf(numbers: ArrayLike<number>): number {
  const all = Array.from(numbers);
  const mean = all.reduce((sum, number) => sum + number / all.length, 0);
  return Math.sqrt(all.reduce((sum, number) => sum + (number - mean) ** 2 / all.length, 0));
}

/** The share of a baseline that is below a value, in percent: 0 up to its minimum, 100 from its maximum on. */
export function percentileIn(quantiles: readonly number[], value: number): number {
  const above = quantiles.findIndex((one) => one > value);
  if (above < 0) return 100;
  if (above === 0) return 0;
  const [low = 0, high = 0] = [quantiles[above - 1], quantiles[above]];
  return above - 1 + (value - low) / (high - low);
}

export type Distance = {
  readonly distance: number;
  /** The feature that is the farthest. */
  readonly feature: string;
};

export type Typicals = NonNullable<Baseline['outliers']>['typical'];

/**
 * The root of the mean square of what each feature is from the typical: numbers in their spread; categories as far as a number would be
 * whose density has the same ratio to that of the middle. Undefined where no feature of the baseline is given.
 */
export function distanceFrom(
  { features, typical }: Pick<Baseline, 'features'> & { readonly typical: Typicals },
  valueFor: (feature: string) => FeatureValue | undefined,
): Distance | undefined {
  let [sum, count, most, farthest] = [0, 0, -1, ''];
  for (const [name, feature] of Object.entries(features)) {
    const value = isOfInput(name) ? valueFor(name) : undefined;
    if (value === undefined) continue;
    const square = feature.kind === 'number' ? numberSquare(value, typical[name]) : categorySquare(value, feature);
    if (square === undefined) continue;
    sum += square;
    count += 1;
    if (square > most) [most, farthest] = [square, name];
  }
  return count === 0 ? undefined : { distance: Math.sqrt(sum / count), feature: farthest };
}

function numberSquare(value: FeatureValue, typical: Typical | undefined): number | undefined {
  if (typical === undefined || typeof value !== 'number' || Number.isNaN(value)) return undefined;
  return Math.min(((value - typical.center) / typical.spread) ** 2, MAX_SQUARE);
}

/** A normal density is exp(-z²/2) of that in its middle. A category that never came counts as half a row. */
function categorySquare(value: FeatureValue, feature: BaselineFeature): number {
  const counts = countsOf(feature);
  const own = counts[bucketsOf(cutsOf(feature)).of(value)] ?? 0;
  return -2 * Math.log(Math.max(own, LEAST_COUNT) / Math.max(...counts, LEAST_COUNT));
}
