/** Instances to try a model with: the pictures and records of its folder parity/. */
import path from 'node:path';
import { z } from 'zod';
import { FileError, readSmallFile } from '../domain/small-file.ts';
import type { InputHint } from '../domain/table.ts';
import { GatewayError } from '../errors.ts';
import type { ModelCard } from './card.ts';
import { readSamplePicture, readTensorsFile } from './parity-files.ts';

/**
 * A field of the records. `from`: whether model.yaml names its choices or limits, or whether they are what the records in
 * parity/ have; a model may take other values too.
 */
export type ExampleField = InputHint & { readonly name: string; readonly from: 'model.yaml' | 'examples' };

export type Examples = {
  /** Names of pictures. */
  readonly pictures: readonly string[];
  readonly records: readonly Readonly<Record<string, unknown>>[];
  readonly fields: readonly ExampleField[];
};

const NONE: Examples = { pictures: [], records: [], fields: [] };

/** Records that are shown. */
const MAX_RECORDS = 3;

/** A field with more texts than these has no choices. */
const MAX_CHOICES = 50;

const recordsFile = z.object({ instances: z.array(z.record(z.string(), z.unknown())).min(1) });

/**
 * The examples of a version. None where the folder has none, and where its records are not tables.
 * @throws GatewayError model_failed for a file that cannot be used.
 */
export async function readExamples(
  { folder, image, inputs }: ModelCard,
  version: number | undefined,
): Promise<Examples> {
  if (folder === '') return NONE;
  if (image) {
    const pictures = (await readTensorsFile(folder))?.samples.map(({ file }) => file) ?? [];
    return { ...NONE, pictures };
  }
  const all = version === undefined ? [] : await readRecords(path.join(folder, 'parity', `${version}.json`));
  return { pictures: [], records: all.slice(0, MAX_RECORDS), fields: fieldsOf(all, inputs) };
}

/** An example picture. @throws GatewayError not_found for a name that the examples lack. */
export async function readExamplePicture(card: ModelCard, name: string): Promise<Uint8Array> {
  const { pictures } = await readExamples(card, undefined);
  if (pictures.includes(name)) return readSamplePicture(path.join(card.folder, 'parity', name));
  const known = pictures.join(', ') || 'none';
  throw new GatewayError('not_found', `${name.slice(0, 80)}: no example of ${card.name}; its pictures: ${known}`);
}

async function readRecords(file: string): Promise<z.output<typeof recordsFile>['instances']> {
  try {
    const parsed = recordsFile.safeParse(JSON.parse((await readSmallFile(file)).toString()));
    return parsed.success ? parsed.data.instances : [];
  } catch (cause) {
    if (cause instanceof FileError && cause.code === 'ENOENT') return [];
    const why = cause instanceof FileError ? cause.message : 'is not JSON';
    throw new GatewayError('model_failed', `parity/${path.basename(file)}: ${why}`, { cause });
  }
}

function fieldsOf(
  records: readonly Readonly<Record<string, unknown>>[],
  inputs: ReadonlyMap<string, InputHint> = new Map(),
): ExampleField[] {
  const names = new Set([...inputs.keys(), ...records.flatMap((record) => Object.keys(record))]);
  return [...names].map((name) => {
    const { about, ...stated } = inputs.get(name) ?? {};
    const isStated = Object.keys(stated).length > 0;
    const known = isStated ? stated : seenIn(records.map((record) => record[name]));
    return { name, from: isStated ? 'model.yaml' : 'examples', ...(about !== undefined && { about }), ...known };
  });
}

/** The smallest and the largest number of a field, or the texts that occur in it. */
function seenIn(values: readonly unknown[]): InputHint {
  if (values.length > 0 && values.every((value) => typeof value === 'number')) {
    return { minimum: Math.min(...values), maximum: Math.max(...values) };
  }
  const texts = new Set(values.filter((value) => typeof value === 'string'));
  return texts.size > 0 && texts.size <= MAX_CHOICES ? { choices: [...texts].sort() } : {};
}
