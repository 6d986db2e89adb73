/** The predictions of a log that are sent again: all, or a sample of them. */
import { ConfigError } from '../../config/read.ts';
import { createRandom } from '../../domain/random.ts';
import { predictionSchema } from '../../observe/prediction-log/schema.ts';
import { parseExact } from '../batch/exact.ts';
import { isIn, type Period } from '../log/features.ts';
import { filesOf, isOfKind, linesOf } from '../log/files.ts';
import { type Instance, instanceOf, type Missing } from './instance.ts';
import type { Pictures } from './pictures.ts';

const lineSchema = predictionSchema.pick({ kind: true, schema: true, time: true, model: true, input: true });

/** The same predictions in each run. */
const SEED = 1;

export type LogOptions = {
  /** Unset: the only model in the log. */
  readonly model?: string | undefined;
  readonly period: Period;
  readonly pictures: Pictures;
  /** Most predictions to send. */
  readonly limit: number;
};

export type Sampled = {
  readonly model: string;
  readonly instances: readonly Instance[];
  /** Predictions of the model that can be sent again. */
  readonly replayable: number;
  readonly missing: ReadonlyMap<Missing, number>;
  readonly unreadable: number;
};

/**
 * Reads the log once. Of more than `limit` predictions it keeps a random sample (algorithm R: J. Vitter, Random sampling with a
 * reservoir, 1985). Throws ConfigError for a log of several models, or with nothing to send.
 */
export async function sampleOf(
  paths: readonly string[],
  { model: wanted, period, pictures, limit }: LogOptions,
): Promise<Sampled> {
  const random = createRandom(SEED);
  const models = new Set<string>();
  const missing = new Map<Missing, number>();
  const instances: Instance[] = [];
  const counts = { replayable: 0, unreadable: 0 };
  for (const file of await filesOf(paths)) {
    for await (const text of linesOf(file, 'prediction')) {
      const line = lineOf(text);
      if (!line) counts.unreadable += Number(isOfKind(text, 'prediction'));
      if (!line || !isIn(period, line.time)) continue;
      models.add(line.model);
      if (line.model !== (wanted ?? line.model)) continue;
      const instance = instanceOf(line, pictures);
      if (typeof instance === 'string') {
        missing.set(instance, (missing.get(instance) ?? 0) + 1);
        continue;
      }
      counts.replayable += 1;
      const place = instances.length < limit ? instances.length : Math.floor(random() * counts.replayable);
      if (place < limit) instances[place] = instance;
    }
  }
  return { model: onlyOf(models, wanted), instances, missing, ...counts };
}

/** Integers beyond 2^53 keep their digits. */
function lineOf(text: string) {
  try {
    return lineSchema.safeParse(parseExact(text)).data;
  } catch {
    return undefined; // half a line
  }
}

function onlyOf(models: ReadonlySet<string>, wanted: string | undefined): string {
  const names = [...models].sort();
  const [first] = wanted === undefined ? names : names.filter((name) => name === wanted);
  if (first === undefined) {
    throw new ConfigError(`the log has no predictions${wanted === undefined ? '' : ` of ${wanted}`} to send again`);
  }
  if (wanted === undefined && names.length > 1) {
    throw new ConfigError(`the log has predictions of ${names.join(', ')}: --model says which to send again`);
  }
  return first;
}
