/** The counts of one version: how often each bucket of each feature came. */

import type { Meaning } from '../../domain/meaning.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { sniff } from '../../image/sniff.ts';
import type { Baseline } from '../../model/baseline.ts';
import { type Buckets, bucketsOf, type Cuts, countsOf, cutsOf, type FeatureValue } from '../../model/buckets.ts';
import { usualSignature } from '../../model/find-signature.ts';
import { meaningOf } from '../../model/meaning.ts';
import type { Routed } from '../../model/route.ts';
import type { Predicted, PredictedPicture } from '../../pipeline/predicted.ts';
import { rowValues } from '../../tensor/row-values.ts';
import { type AddValue, answersIn } from './answers.ts';
import { defaultCuts } from './default-cuts.ts';

/** Of a larger request so many rows are counted, evenly spread: counting takes some 3 ms then. */
const MAX_ROWS = 1000;
/** The same by the numbers of an answer. */
const MAX_NUMBERS = 100_000;

const INPUT = 'input.';
const OUTPUT = 'output.';

/** One feature. `baseline`: the share of each bucket. */
type FeatureCounts = {
  readonly buckets: Buckets;
  readonly counts: Float64Array;
  readonly baseline: readonly number[] | undefined;
};

export class VersionCounts {
  /** By their names. */
  readonly features: ReadonlyMap<string, FeatureCounts>;
  readonly #inputs: Columns;
  readonly #outputs: Columns;
  readonly #signature: string;
  readonly #meaning: Meaning;
  readonly #add: AddValue;

  /** Features that the baseline does not have are cut as without one. */
  constructor(routed: Routed, baseline: Baseline | undefined) {
    const { card, metadata, binding } = routed;
    this.#signature = binding?.signature ?? usualSignature(card, metadata);
    this.#meaning = meaningOf(routed, this.#signature);
    const features = new Map<string, FeatureCounts>();
    for (const [name, cuts] of defaultCuts(routed, this.#meaning)) features.set(name, countsBy(cuts));
    for (const [name, feature] of Object.entries(baseline?.features ?? {})) {
      features.set(name, countsBy(cutsOf(feature), sharesOf(countsOf(feature))));
    }
    this.features = features;
    this.#inputs = columnsOf(features, INPUT);
    this.#outputs = columnsOf(features, OUTPUT);
    this.#add = (name, value) => add(features.get(name), value);
  }

  /** Counts a request. Those by another signature than model.yaml's have other inputs and outputs: they do not count. */
  count(predicted: Predicted): void {
    if (predicted.kind === 'relayed' || predicted.signature !== this.#signature) return;
    if (predicted.kind === 'tensors') this.#countRows(predicted);
    else for (const picture of predicted.pictures) this.#countPicture(picture);
  }

  #countPicture({ instance, bytes, outputs, statistics }: PredictedPicture): void {
    const batched = new Map(Array.from(outputs, ([name, row]) => [name, { ...row, shape: [1, ...row.shape] }]));
    answersIn(batched, 1, this.#meaning)(0, this.#add);
    countColumns(this.#outputs, batched, 1, [0]);
    if (statistics) {
      this.#add('brightness', statistics.brightness);
      this.#add('contrast', statistics.contrast);
      this.#add('sharpness', statistics.sharpness);
    }
    const sniffed = instance.kind === 'row' ? undefined : sniff(bytes);
    const header = sniffed && 'header' in sniffed ? sniffed.header : undefined;
    if (!header) return;
    this.#add('pixels', header.width * header.height);
    this.#add('aspect', header.width / header.height);
  }

  #countRows({ inputs, outputs, rows }: Extract<Predicted, { kind: 'tensors' }>): void {
    const chosen = chooseRows(rows, outputs);
    const addAnswer = answersIn(outputs, rows, this.#meaning);
    for (const row of chosen) addAnswer(row, this.#add);
    countColumns(this.#inputs, inputs, rows, chosen);
    countColumns(this.#outputs, outputs, rows, chosen);
  }
}

/** The features that are tensors with one value for each row, by the names of the tensors. */
type Columns = readonly (readonly [name: string, feature: FeatureCounts])[];

function columnsOf(features: ReadonlyMap<string, FeatureCounts>, prefix: string): Columns {
  return [...features]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, feature]) => [name.slice(prefix.length), feature]);
}

function countColumns(
  columns: Columns,
  tensors: ReadonlyMap<string, Tensor>,
  rows: number,
  chosen: readonly number[],
): void {
  for (const [name, feature] of columns) {
    const valueIn = rowValues(tensors.get(name), rows);
    if (valueIn) for (const row of chosen) add(feature, valueIn(row));
  }
}

function countsBy(cuts: Cuts, baseline?: readonly number[]): FeatureCounts {
  const buckets = bucketsOf(cuts);
  return { buckets, counts: new Float64Array(buckets.names.length), baseline };
}

function sharesOf(counts: readonly number[]): readonly number[] | undefined {
  const sum = counts.reduce((total, count) => total + count, 0);
  return sum > 0 ? counts.map((count) => count / sum) : undefined;
}

function add(feature: FeatureCounts | undefined, value: FeatureValue): void {
  if (!feature) return;
  const index = feature.buckets.of(value);
  feature.counts[index] = (feature.counts[index] ?? 0) + 1;
}

function chooseRows(rows: number, outputs: ReadonlyMap<string, Tensor>): readonly number[] {
  const widest = Math.max(1, ...outputs.values().map(({ shape }) => shape.reduce((all, axis) => all * axis, 1) / rows));
  const count = Math.max(1, Math.min(rows, MAX_ROWS, Math.floor(MAX_NUMBERS / widest)));
  return Array.from({ length: count }, (_, index) => Math.floor((index * rows) / count));
}
