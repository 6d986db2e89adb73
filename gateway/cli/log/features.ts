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
      if (read.success) yield { ...read.data, features: featuresOf(read.data) };
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
function featuresOf({ input, class: best, score, outputs }: Line): Features {
  const features = new Map<string, FeatureValue>();
  if (best !== null) features.set('class', best);
  if (score !== null) features.set('score', score);
  if (input.kind === 'picture' && input.width !== null && input.height !== null) {
    features.set('pixels', input.width * input.height);
    features.set('aspect', input.width / input.height);
  }
  if (input.kind === 'tensors') {
    for (const [name, value] of Object.entries(input.values)) {
      const plain = plainValue(value);
      if (plain !== undefined) features.set(`input.${name}`, plain);
    }
  }
  const [answer, ...more] = Object.values(outputs.values ?? {});
  const value = best === null && more.length === 0 ? plainValue(answer) : undefined;
  if (typeof value === 'number') features.set('value', value);
  return features;
}

/** The only element of a tensor. JSON has no NaN: the log has its name. */
function plainValue(value: unknown): FeatureValue | undefined {
  if (Array.isArray(value)) return value.length === 1 ? plainValue(value[0]) : undefined;
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'number' || typeof value === 'string' ? value : undefined;
}
