/** The buckets that the values of a feature are counted in, by the edges or categories of its baseline. */
import { type BaselineFeature, MISSING, OTHER } from './baseline.ts';

/** A value of a feature. NaN and the empty string are missing. */
export type FeatureValue = number | string;

export type Buckets = {
  readonly kind: BaselineFeature['kind'];
  /** Of all buckets: those of the values in their order, then, of categories, OTHER, then MISSING. */
  readonly names: readonly string[];
  /** The index of the bucket of a value. A number given for categories is one by its text; text given for numbers is missing. */
  of(value: FeatureValue): number;
};

/** What cuts a feature: a baseline, or edges and categories alone. */
export type Cuts =
  | { readonly kind: 'number'; readonly edges: readonly number[] }
  | { readonly kind: 'category'; readonly categories: readonly string[] };

/** The cuts of a feature of a baseline. */
export function cutsOf(feature: BaselineFeature): Cuts {
  if (feature.kind === 'number') return feature;
  return { kind: 'category', categories: Object.keys(feature.counts) };
}

/** The counts of a baseline, by the index of the bucket. */
export function countsOf(feature: BaselineFeature): readonly number[] {
  if (feature.kind === 'number') return [...feature.counts, feature.missing];
  return [...Object.values(feature.counts), feature.other, feature.missing];
}

export function bucketsOf(cuts: Cuts): Buckets {
  return cuts.kind === 'number' ? numberBuckets(cuts.edges) : categoryBuckets(cuts.categories);
}

function numberBuckets(edges: readonly number[]): Buckets {
  const ends = ['-inf', ...edges, '+inf'];
  const names = ends.slice(1).map((end, index) => `${index === 0 ? '(' : '['}${ends[index]},${end})`);
  const missing = names.length;
  return {
    kind: 'number',
    names: [...names, MISSING],
    of: (value) => (typeof value === 'string' || Number.isNaN(value) ? missing : edgesUpTo(value, edges)),
  };
}

/** How many edges a number has reached. */
function edgesUpTo(value: number, edges: readonly number[]): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((edges[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function categoryBuckets(categories: readonly string[]): Buckets {
  const indices = new Map(categories.map((name, index) => [name, index]));
  const other = categories.length;
  indices.set('', other + 1);
  return {
    kind: 'category',
    names: [...categories, OTHER, MISSING],
    of: (value) => (Number.isNaN(value) ? other + 1 : (indices.get(String(value)) ?? other)),
  };
}
