/** Cuts the values of a feature into buckets, as training does (serving/training/baseline.py). */
import { type BaselineFeature, MISSING, OTHER } from '../../model/baseline.ts';
import { bucketsOf, type FeatureValue } from '../../model/buckets.ts';

/** Deciles: with fewer buckets a shift within one is not seen, with more each has few values. */
const BUCKETS = 10;
const MOST_CATEGORIES = 50;
const LONGEST_CATEGORY = 200;

/** Undefined: the value is missing. */
export type Column = readonly (FeatureValue | undefined)[];

/**
 * A feature of numbers where any value is one, else of categories. Among numbers, text is missing: a log has the name of NaN.
 * Undefined where all values are missing.
 */
export function featureOf(values: Column): BaselineFeature | undefined {
  const known = sortedNumbers(values);
  if (known.length > 0) return numbers(known, values.length - known.length);
  return values.some((value) => typeof value === 'string' && value !== '') ? categories(values) : undefined;
}

function numbers(known: Float64Array, missing: number): BaselineFeature {
  const edges = edgesOf(known);
  const buckets = bucketsOf({ kind: 'number', edges });
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const value of known) counts[buckets.of(value)] = (counts[buckets.of(value)] ?? 0) + 1;
  return { kind: 'number', edges, counts, missing };
}

/** The numbers of a column, ascending. */
export function sortedNumbers(values: Column): Float64Array {
  return Float64Array.from(values.filter(isNumber)).sort();
}

const isNumber = (value: FeatureValue | undefined): value is number =>
  typeof value === 'number' && !Number.isNaN(value);

/**
 * Edges between quantiles of sorted values. No bucket is empty, and a frequent value has its own bucket. The quantile of a
 * value is that of its mid-rank: the number of smaller values, and half of the equal ones.
 */
export function edgesOf(sorted: Float64Array): number[] {
  const edges: number[] = [];
  let quantile: number | undefined;
  for (let start = 0; start < sorted.length; ) {
    const value = sorted[start] as number;
    let end = start + 1;
    while (sorted[end] === value) end += 1;
    const its = Math.floor(((start + end) / 2 / sorted.length) * BUCKETS);
    if (quantile !== undefined && its > quantile) edges.push(shortEdge(sorted[start - 1] as number, value));
    quantile = its;
    start = end;
  }
  return edges;
}

/** The shortest decimal number that is above `below` and at most `above`; of whole numbers the upper one. */
function shortEdge(below: number, above: number): number {
  if (Number.isInteger(below) && Number.isInteger(above)) return above;
  const middle = (below + above) / 2;
  for (let digits = 1; digits < 17; digits += 1) {
    const edge = Number(middle.toPrecision(digits));
    if (below < edge && edge <= above) return edge;
  }
  return above;
}

/** The most frequent categories by name. */
function categories(values: Column): BaselineFeature {
  const found = new Map<string, number>();
  for (const value of values) {
    const name = String(value ?? '');
    found.set(name, (found.get(name) ?? 0) + 1);
  }
  const missing = found.get('') ?? 0;
  const kept = [...found]
    .filter(([name]) => !['', OTHER, MISSING].includes(name) && name.length <= LONGEST_CATEGORY)
    .sort(([one, count], [other, its]) => its - count || byName(one, other))
    .slice(0, MOST_CATEGORIES)
    .sort(([one], [other]) => byName(one, other));
  const counted = kept.reduce((sum, [, count]) => sum + count, 0);
  return { kind: 'category', counts: Object.fromEntries(kept), other: values.length - missing - counted, missing };
}

const byName = (one: string, other: string) => Number(one > other) - Number(one < other);
