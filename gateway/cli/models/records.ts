/** Reads the files beside the versions in a model's folder: model.yaml, evaluation/N.json, baseline/N.json, parity/. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { type Baseline, baselineSchema } from '../../model/baseline.ts';
import { type ModelCard, ModelCardError, parseCard } from '../../model/card.ts';
import { refused } from './failure.ts';

const evaluationFile = z.looseObject({
  test: z.looseObject({ accuracy: z.number().optional() }).optional(),
  lineage: z.record(z.string(), z.unknown()).optional(),
  gate: z.looseObject({ decision: z.string() }).optional(),
});
const scoresFile = z.looseObject({});
const sample = z.looseObject({ file: z.string().regex(/^[^/\\]+$/), sha256: z.string().optional() });
const tensorsFile = z.looseObject({ samples: z.array(sample) });

/** What training measured for a version, and its lineage. */
export type Evaluation = z.output<typeof evaluationFile>;

/**
 * The text of model.yaml, if it exists. Throws ModelCardError if it is invalid, `refused` if it has another model's
 * name.
 */
export async function readCardText(folder: string, model: string): Promise<string | undefined> {
  const file = path.join(folder, 'model.yaml');
  const bytes = await readIfThere(file);
  if (bytes === undefined) return undefined;
  const { name } = parseCard(String(bytes), folder);
  if (name === model) return String(bytes);
  throw refused(`${file}: is of model ${name}, not of ${model}`);
}

/** The model.yaml of a folder; undefined without one, and for one with mistakes: `tensorgate models check` tells them. */
export async function readValidCard(folder: string): Promise<ModelCard | undefined> {
  const text = await readIfThere(path.join(folder, 'model.yaml'));
  try {
    return text && parseCard(String(text), folder);
  } catch (thrown) {
    if (thrown instanceof ModelCardError) return undefined;
    throw thrown;
  }
}

/** evaluation/N.json, if it exists. Throws `refused` if it is invalid. */
export function readEvaluation(folder: string, version: number | string): Promise<Evaluation | undefined> {
  return readJson(path.join(folder, 'evaluation', `${version}.json`), evaluationFile);
}

/** parity/N.json, if it exists: the scores of one version. Throws `refused` if it is invalid. */
export function readScores(folder: string, version: number | string): Promise<object | undefined> {
  return readJson(path.join(folder, 'parity', `${version}.json`), scoresFile);
}

/**
 * parity/tensors.json, if it exists: the pictures and the hashes of their tensors. Throws `refused` if it is invalid.
 */
export function readTensors(folder: string): Promise<z.output<typeof tensorsFile> | undefined> {
  return readJson(path.join(folder, 'parity', 'tensors.json'), tensorsFile);
}

/** baseline/N.json, if it exists. Throws `refused` if it is invalid. */
export function readBaselineFile(folder: string, version: number | string): Promise<Baseline | undefined> {
  return readJson(path.join(folder, 'baseline', `${version}.json`), baselineSchema);
}

/** JSON in the format of these files: indented, with a final newline. */
export function jsonText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** A file's bytes; undefined if it does not exist. */
export async function readIfThere(file: string): Promise<Buffer | undefined> {
  return readFile(file).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw refused(`${file}: cannot be read: ${cause.code}`, { cause });
  });
}

async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const bytes = await readIfThere(file);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(String(bytes));
    schema.parse(value);
    // Not the parsed value: a copy keeps the order of the fields.
    return value as T;
  } catch (cause) {
    const [issue] = cause instanceof z.ZodError ? cause.issues : [];
    const what = issue ? `${issue.path.join('.') || 'file'}: ${issue.message}` : (cause as Error).message;
    throw refused(`${file}: ${what}`, { cause });
  }
}
