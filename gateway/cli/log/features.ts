/** The features of predictions in a log: what drift is measured of. docs/drift.md lists them. */
import type { z } from 'zod';
import type { FeatureValue } from '../../model/buckets.ts';
import { predictionSchema } from '../../observe/prediction-log/schema.ts';
import { filesOf, isOfKind, linesOf, parsed } from './files.ts';

const lineSchema = predictionSchema.pick({
  kind: true,
  schema: true,
  time: true,
  model: true,
  version: true,
  input: true,
  class: true,
  score: true,
  entropy: true,
  energy: true,
  outputs: true,
});

export type Features = ReadonlyMap<string, FeatureValue>;

export type LoggedPrediction = Pick<z.output<typeof lineSchema>, 'time' | 'model' | 'version'> & {
  readonly features: Features;
  /** The energy score of the logits. Undefined where the model gives none. */
  readonly energy?: number | undefined;
};

/** Times of a log, in the form of its lines: from the first on, and before the last. Unset: without a bound. */
export type Period = { readonly from?: string | undefined; readonly to?: string | undefined };

export type LogCounts = { unreadable: number };

/**
 * Reads predictions one by one: a log may be larger than memory. `counts.unreadable` grows with the lines of predictions that cannot
 * be read. Throws ConfigError for a path that does not exist.
 */
export async function* predictionsOf(paths: readonly string[], counts: LogCounts): AsyncGenerator<LoggedPrediction> {
  for (const file of await filesOf(paths)) {
    for await (const line of linesOf(file, 'prediction')) {
      const read = lineSchema.safeParse(parsed(line));
      if (read.success) yield { ...read.data, energy: read.data.energy ?? undefined, features: featuresOf(read.data) };
      else counts.unreadable += Number(isOfKind(line, 'prediction'));
    }
  }
}

/** Whether a time is in the period. */
export function isIn({ from, to }: Period, time: string): boolean {
  return (from === undefined || time >= from) && (to === undefined || time < to);
}

type Line = z.output<typeof lineSchema>;

/** The features by their names. docs/drift.md says what each is; those of metrics are the same (gateway/observe/drift). */
function featuresOf({ input, class: best, score, entropy, outputs }: Line): Features {
  const features = new Map<string, FeatureValue>();
  if (best !== null) features.set('class', best);
  if (score !== null) features.set('score', score);
  if (typeof entropy === 'number') features.set('entropy', entropy);
  if (input.kind === 'picture') {
    for (const [name, value] of Object.entries(input.statistics ?? {})) features.set(name, value);
    const { width, height } = input;
    if (width !== null && height !== null) features.set('pixels', width * height).set('aspect', width / height);
  }
  if (input.kind === 'tensors') addValues(features, 'input', input.values);
  // Of models with classes or a decision, these say the same.
  if (best === null) addValues(features, 'output', outputs.values ?? {});
  return features;
}

function addValues(features: Map<string, FeatureValue>, side: string, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    const plain = plainValue(value);
    if (plain !== undefined) features.set(`${side}.${name}`, plain);
  }
}

/** The only element of a tensor. JSON has no NaN: the log has its name. */
function plainValue(value: unknown): FeatureValue | undefined {
  if (Array.isArray(value)) return value.length === 1 ? plainValue(value[0]) : undefined;
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'number' || typeof value === 'string' ? value : undefined;
}
