/** `baseline/VERSION.json` beside model.yaml: how often each value of each feature came in the data of a version. docs/drift.md explains it. */
import path from 'node:path';
import { z } from 'zod';
import { FileError, readSmallFile } from '../domain/small-file.ts';

/** Grows when a member changes its meaning or goes. Readers ignore members that they do not know. */
export const BASELINE_SCHEMA = 1;

/** What bounds the series of metrics: features of a version, and buckets of a feature. */
export const MAX_FEATURES = 100;
export const MAX_BUCKETS = 52;

/** Of numbers: the minimum, each percent and the maximum. */
export const QUANTILES = 101;

/** Buckets of categories that no category may be called. */
export const OTHER = '(other)';
export const MISSING = '(missing)';
const RESERVED: readonly string[] = ['', OTHER, MISSING];

const count = z.int().min(0);
/** Of a category: a label of metrics. */
const name = z
  .string()
  .max(200)
  .refine(
    (text) => !RESERVED.includes(text),
    `${RESERVED.map((text) => JSON.stringify(text)).join(', ')} are no categories`,
  );

const numbers = z
  .object({
    kind: z.literal('number'),
    /** Ascending. Bucket `i` has the values from edge `i - 1` on that are below edge `i`; the first and the last are open. */
    edges: z.array(z.number()).max(MAX_BUCKETS - 2),
    counts: z.array(count),
    /** Values that are missing: NaN. */
    missing: count.default(0),
  })
  .refine(({ edges, counts }) => counts.length === edges.length + 1, {
    path: ['counts'],
    message: 'needs one more than edges',
  })
  .refine(({ edges }) => edges.every((one, index) => index === 0 || one > (edges[index - 1] ?? 0)), {
    path: ['edges'],
    message: 'must ascend',
  });

const categories = z.object({
  kind: z.literal('category'),
  counts: z
    .record(name, count)
    .refine((counts) => Object.keys(counts).length <= MAX_BUCKETS - 2, `at most ${MAX_BUCKETS - 2} categories`),
  /** Values of all other categories. */
  other: count.default(0),
  /** Values that are missing: the empty string. */
  missing: count.default(0),
});

const feature = z.discriminatedUnion('kind', [numbers, categories]);

const quantiles = z.array(z.number()).length(QUANTILES);

/** What `outlier=true` compares with. Quantiles of the energy are absent where the model gives no logits. */
const outliers = z.object({
  energy: quantiles.optional(),
  distance: quantiles.optional(),
  /** Of the inputs that are numbers: the median, and how far from it is usual. */
  typical: z.record(z.string(), z.object({ center: z.number(), spread: z.number().positive() })),
});

export const baselineSchema = z.object({
  schema: z.literal(BASELINE_SCHEMA),
  model: z.string(),
  version: z.int(),
  /** Where the data is from, for people: "validation photos". */
  source: z.string().optional(),
  /** Pictures or records that were counted. */
  rows: z.int().min(1),
  features: z
    .record(z.string(), feature)
    .refine((features) => Object.keys(features).length <= MAX_FEATURES, `at most ${MAX_FEATURES}`),
  outliers: outliers.optional(),
  /** Inputs of some rows, for explanations to compare with. Absent for pictures. */
  records: z.array(z.record(z.string(), z.union([z.number(), z.string()]))).optional(),
});

export type Baseline = z.output<typeof baselineSchema>;
export type BaselineFeature = z.output<typeof feature>;

/** What is wrong with a baseline. `message` names the file and the member. */
export class BaselineError extends Error {}

/** The file of a version. `folder`: that of model.yaml. */
export function baselineFile(folder: string, version: number): string {
  return path.join(folder, 'baseline', `${version}.json`);
}

/** Reads the baseline of a version. Undefined without the file. @throws BaselineError when it cannot be used. */
export async function readBaseline(folder: string, version: number): Promise<Baseline | undefined> {
  const file = baselineFile(folder, version);
  try {
    return parseBaseline((await readSmallFile(file)).toString());
  } catch (cause) {
    if (cause instanceof FileError && cause.code === 'ENOENT') return undefined;
    throw new BaselineError(`baseline/${path.basename(file)}: ${whatIsWrong(cause)}`, { cause });
  }
}

/** @throws SyntaxError for what is not JSON, ZodError for another form. */
export function parseBaseline(text: string): Baseline {
  return baselineSchema.parse(JSON.parse(text));
}

function whatIsWrong(cause: unknown): string {
  if (cause instanceof SyntaxError) return 'is not JSON';
  if (!(cause instanceof z.ZodError)) return cause instanceof Error ? cause.message : String(cause);
  const [{ path: place, message } = { path: [], message: 'is not valid' }] = cause.issues;
  return `${place.join('.')}: ${message}`;
}
