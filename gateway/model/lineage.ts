/** How a version was made: what training has recorded in evaluation/, parity/ and baseline/ beside model.yaml. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { FileError, readSmallFile } from '../domain/small-file.ts';
import { GatewayError } from '../errors.ts';
import type { ModelCard } from './card.ts';

/** The alert that started the training: `tensorgate retrain-hook` gives it to the command. */
const cause = z.object({
  alert: z.string(),
  model: z.string(),
  version: z.string(),
  feature: z.string(),
  starts_at: z.string(),
});

const recorded = z.object({
  run_id: z.string(),
  commit: z.string().nullable(),
  dirty: z.boolean().optional(),
  data_sha256: z.string(),
  weights_sha256: z.string().optional(),
  seed: z.number().nullish(),
  settings: z.record(z.string(), z.unknown()).default({}),
  environment: z.record(z.string(), z.string()).default({}),
  cause: cause.optional(),
});

const measured = z.record(z.string(), z.unknown());
const evaluationFile = z.object({
  lineage: recorded.optional(),
  gate: z.object({ decision: z.string(), against: z.number().nullish() }).optional(),
  test: measured.optional(),
  validation: measured.optional(),
});

const parityFile = z.object({
  tolerance: z.number(),
  scores: measured.optional(),
  instances: z.array(z.unknown()).optional(),
});
const baselineFile = z.object({ rows: z.number(), source: z.string().optional(), features: measured });

type Figures = Readonly<Record<string, number>>;

export type Lineage = Omit<z.output<typeof recorded>, 'seed' | 'dirty' | 'weights_sha256' | 'cause'> & {
  readonly model: string;
  readonly version: number;
  /** Whether the code had changes that are not in the commit. */
  readonly dirty: boolean | null;
  readonly seed: number | null;
  /** Of the file that training started from. */
  readonly weights_sha256: string | null;
  readonly cause: z.output<typeof cause> | null;
  /** The numbers that were measured on each part of the data. */
  readonly metrics: Readonly<Record<'test' | 'validation', Figures>>;
  readonly gate: { readonly decision: string; readonly against: number | null } | null;
  /** The samples that the gateway compares the version with. */
  readonly parity: { readonly sha256: string; readonly samples: number; readonly tolerance: number } | null;
  /** The data that the gateway compares requests with. */
  readonly baseline: {
    readonly sha256: string;
    readonly rows: number;
    readonly source: string | null;
    readonly features: readonly string[];
  } | null;
};

/**
 * The lineage of a version, loaded or not. @throws GatewayError `not_found` where nothing is recorded, with the fix;
 * `model_failed` for a file that cannot be used.
 */
export async function readLineage({ name, folder, isDiscovered }: ModelCard, version: number): Promise<Lineage> {
  const own = isDiscovered ? null : await readRecord(folder, 'evaluation', version, evaluationFile);
  if (!own?.value.lineage) throw notRecorded(name, version, own !== null);
  const { lineage, gate, test = {}, validation = {} } = own.value;
  const { dirty = null, seed = null, weights_sha256 = null, cause: alert = null, ...rest } = lineage;
  const parity = await readRecord(folder, 'parity', version, parityFile);
  const baseline = await readRecord(folder, 'baseline', version, baselineFile);
  return {
    model: name,
    version,
    ...rest,
    dirty,
    seed,
    weights_sha256,
    cause: alert,
    metrics: { test: figuresOf(test), validation: figuresOf(validation) },
    gate: gate ? { decision: gate.decision, against: gate.against ?? null } : null,
    parity: parity && {
      sha256: parity.sha256,
      samples: parity.value.instances?.length ?? Object.keys(parity.value.scores ?? {}).length,
      tolerance: parity.value.tolerance,
    },
    baseline: baseline && {
      sha256: baseline.sha256,
      rows: baseline.value.rows,
      source: baseline.value.source ?? null,
      features: Object.keys(baseline.value.features),
    },
  };
}

function notRecorded(model: string, version: number, isEvaluated: boolean): GatewayError {
  const why = isEvaluated
    ? `evaluation/${version}.json has no lineage. Train the version again: make train`
    : `evaluation/${version}.json is not beside model.yaml. Push a version from the folder that training has written it to: ` +
      'tensorgate models push takes the record along';
  return new GatewayError('not_found', `No lineage is recorded for ${model} version ${version}: ${why}.`);
}

function figuresOf(part: Readonly<Record<string, unknown>>): Figures {
  return Object.fromEntries(
    Object.entries(part).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}

type Read<T> = { readonly value: T; readonly sha256: string };

/** Null without the file. */
async function readRecord<T>(
  folder: string,
  kind: string,
  version: number,
  schema: z.ZodType<T>,
): Promise<Read<T> | null> {
  try {
    const bytes = await readSmallFile(path.join(folder, kind, `${version}.json`));
    return {
      value: schema.parse(JSON.parse(bytes.toString())),
      sha256: createHash('sha256').update(bytes).digest('hex'),
    };
  } catch (cause) {
    if (cause instanceof FileError && cause.code === 'ENOENT') return null;
    const why = cause instanceof FileError ? cause.message : 'is not valid';
    throw new GatewayError('model_failed', `${kind}/${version}.json: ${why}`, { cause });
  }
}
