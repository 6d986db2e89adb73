/** How unusual the inputs of a request are, by the baseline of the version that answered. */
import { numbersOf } from '../domain/elements.ts';
import type { Instance, PictureStatistics } from '../domain/picture.ts';
import type { ScoreKind } from '../domain/scores.ts';
import { inTurns, type Steps } from '../domain/steps.ts';
import type { Tensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import { sniff } from '../image/sniff.ts';
import { type Baseline, BaselineError } from '../model/baseline.ts';
import type { FeatureValue } from '../model/buckets.ts';
import { usualSignature } from '../model/find-signature.ts';
import { distanceFrom, percentileIn } from '../model/outliers.ts';
import { bindingOf, type Routed } from '../model/route.ts';
import { tableOf } from '../model/table.ts';
import { energyOf } from '../scores/energy.ts';
import { rowValues } from '../tensor/row-values.ts';
import type { RowOutputs } from './ask.ts';
import type { Stages } from './stages.ts';

/** Percentiles are from 0 to 100: the share of the baseline that is less unusual. Null where there is nothing to compare. */
export type Outlier = {
  /** The energy score of the logits: higher for inputs that are unlike those of training. */
  readonly energy: number | null;
  readonly energyPercentile: number | null;
  /** How far the input is from what is typical, in standard deviations. */
  readonly distance: number | null;
  readonly distancePercentile: number | null;
  /** The feature that is the farthest. */
  readonly feature: string | null;
};

type Compared = Pick<Baseline, 'features'> & { readonly outliers: NonNullable<Baseline['outliers']> };

/**
 * The baseline to compare with. `field`: what asks for it in the request, for the error. Throws `invalid_request` for a version without
 * one, and `model_failed` where the file cannot be used.
 */
export async function requireBaseline(
  { baselineOf }: Pick<Stages, 'baselineOf'>,
  routed: Pick<Routed, 'card' | 'version'>,
  field: string,
): Promise<Compared> {
  const { name } = routed.card;
  const baseline = await baselineOf(routed).catch((cause: unknown) => {
    const why = cause instanceof BaselineError ? cause.message : 'its baseline cannot be read';
    throw new GatewayError('model_failed', `${field}: ${name}: ${why}`, { cause });
  });
  if (baseline?.outliers) return { features: baseline.features, outliers: baseline.outliers };
  const what = baseline ? 'a baseline without outliers' : 'no baseline';
  const fix = `make one with tensorgate baseline ${name} --data …${baseline ? ' --replace' : ''}, or leave it out`;
  throw new GatewayError('invalid_request', `${field}: version ${routed.version} of ${name} has ${what}; ${fix}`);
}

type Input = {
  /** Finite logits of one row. Undefined where the model gives none. */
  readonly energy: number | undefined;
  readonly value: (feature: string) => FeatureValue | undefined;
};

function outlierOf({ features, outliers }: Compared, { energy, value }: Input): Outlier {
  const found = distanceFrom({ features, typical: outliers.typical }, value);
  const percentile = (quantiles: readonly number[] | undefined, number: number | undefined) =>
    quantiles && number !== undefined ? percentileIn(quantiles, number) : null;
  return {
    energy: energy ?? null,
    energyPercentile: percentile(outliers.energy, energy),
    distance: found?.distance ?? null,
    distancePercentile: percentile(outliers.distance, found?.distance),
    feature: found?.feature ?? null,
  };
}

type PictureInput = {
  readonly instance: Instance;
  readonly bytes: Uint8Array;
  readonly statistics: PictureStatistics | undefined;
  readonly outputs: RowOutputs;
};

/** Of one picture. `baseline`: that of `routed`. */
export function pictureOutlier(baseline: Compared, routed: Routed, picture: PictureInput): Outlier {
  const { card, output } = bindingOf(routed);
  const known = new Map<string, FeatureValue>(Object.entries(picture.statistics ?? {}));
  const sniffed = picture.instance.kind === 'row' ? undefined : sniff(picture.bytes);
  const header = sniffed && 'header' in sniffed ? sniffed.header : undefined;
  if (header) {
    const { width, height } = header;
    known.set('pixels', width * height).set('aspect', width / height);
  }
  return outlierOf(baseline, {
    energy: energiesOf(picture.outputs.get(output), 1, card.scores)(0),
    value: (feature) => known.get(feature),
  });
}

type TensorRows = {
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly outputs: ReadonlyMap<string, Tensor>;
  readonly rows: number;
};

const INPUT = 'input.';
/** Rows of one step: less than two milliseconds. */
const ROWS_OF_STEP = 256;

/** Of each row of tensors, in turns of the event loop. */
export function rowOutliers(baseline: Compared, routed: Routed, given: TensorRows): Promise<readonly Outlier[]> {
  return inTurns(outlierSteps(baseline, routed, given));
}

function* outlierSteps(
  baseline: Compared,
  routed: Routed,
  { inputs, outputs, rows }: TensorRows,
): Steps<readonly Outlier[]> {
  const scores = scoresOf(routed);
  const energyOfRow = scores ? energiesOf(outputs.get(scores.output), rows, scores.gives) : () => undefined;
  const columns = new Map<string, ReturnType<typeof rowValues>>(
    Array.from(inputs, ([name, tensor]) => [INPUT + name, rowValues(tensor, rows)] as const),
  );
  const found: Outlier[] = [];
  for (let row = 0; row < rows; row += 1) {
    found.push(outlierOf(baseline, { energy: energyOfRow(row), value: (feature) => columns.get(feature)?.(row) }));
    if (row % ROWS_OF_STEP === ROWS_OF_STEP - 1) yield;
  }
  return found;
}

/** Throws `invalid_request` where the tensors are by another signature than the model's own. */
export function requireOwnSignature({ card, metadata, binding }: Routed, signature: string, field: string): void {
  const own = binding?.signature ?? usualSignature(card, metadata);
  if (signature === own) return;
  throw new GatewayError('invalid_request', `${field}: is for the signature ${own}; leave it out`);
}

/** The output with the numbers of classes. */
function scoresOf({ card, metadata, binding }: Routed): { output: string; gives: ScoreKind } | undefined {
  if (binding) return { output: binding.output, gives: binding.card.scores };
  return card.isDiscovered ? undefined : tableOf(card, metadata).scores;
}

/** The energy of each row. Undefined for numbers that are no logits, or not finite. */
function energiesOf(tensor: Tensor | undefined, rows: number, gives: ScoreKind): (row: number) => number | undefined {
  const numbers = tensor ? numbersOf(tensor) : [];
  const neurons = numbers.length / rows;
  return (row) => {
    const own = Array.from({ length: neurons }, (_, index) => numbers[row * neurons + index] ?? Number.NaN);
    return own.length > 0 && own.every(Number.isFinite) ? energyOf(own, gives) : undefined;
  };
}

/** An outlier with the names that answers have. */
export function outlierMembers(outlier: Outlier) {
  const { energy, energyPercentile, distance, distancePercentile, feature } = outlier;
  return {
    energy,
    energy_percentile: energyPercentile,
    distance,
    distance_percentile: distancePercentile,
    feature,
  };
}
