/** The records that explanations of a version compare others with. docs/explanations.md says how to choose them. */
import path from 'node:path';
import { z } from 'zod';
import { FileError, readSmallFile } from '../domain/small-file.ts';
import { GatewayError } from '../errors.ts';
import type { FindBaseline } from './baselines.ts';
import type { ModelCard } from './card.ts';

/** More would make each explanation cost more calls than they add. */
export const MAX_BACKGROUND = 100;

export type Background = {
  /** Where they are from. */
  readonly source: string;
  /** Not checked by the signature. */
  readonly records: readonly unknown[];
};

const recordsFile = z.object({ instances: z.array(z.unknown()).min(1) });

/**
 * The records of model.yaml's `background`, else of the baseline of the version if they have all inputs, else of `parity/VERSION.json`. Undefined where there are none.
 * @throws GatewayError model_failed for a file that cannot be used.
 */
export async function readBackground(
  card: ModelCard,
  version: number,
  { baselineOf, inputs }: { readonly baselineOf: FindBaseline; readonly inputs: readonly string[] },
): Promise<Background | undefined> {
  const { folder, background } = card;
  if (folder === '') return undefined;
  if (background !== undefined) return { source: background, records: await readRecords(folder, background) };
  const baseline = await baselineOf({ card, version }).catch((cause: unknown) => {
    throw new GatewayError('model_failed', `explain: baseline/${version}.json: cannot be used`, { cause });
  });
  const file = `baseline/${version}.json`;
  // It has no inputs with several values for a row.
  const [first] = baseline?.records ?? [];
  if (baseline?.records && first && inputs.every((name) => Object.hasOwn(first, name)))
    return { source: file, records: spread(baseline.records) };
  const parity = `parity/${version}.json`;
  const records = await readRecords(folder, parity).catch((thrown: unknown) => {
    if (thrown instanceof GatewayError && thrown.cause instanceof FileError && thrown.cause.code === 'ENOENT')
      return [];
    throw thrown;
  });
  return records.length > 0 ? { source: parity, records } : undefined;
}

/** A file as parity/VERSION.json has its records: `{"instances": [...]}`. */
async function readRecords(folder: string, file: string): Promise<readonly unknown[]> {
  try {
    const parsed = recordsFile.parse(JSON.parse((await readSmallFile(path.join(folder, file))).toString()));
    return spread(parsed.instances);
  } catch (cause) {
    const why = cause instanceof FileError ? cause.message : 'needs {"instances": […]} with a record at least';
    throw new GatewayError('model_failed', `explain: ${file}: ${why}`, { cause });
  }
}

/** At most MAX_BACKGROUND of them, from all parts of the list. */
function spread(records: readonly unknown[]): readonly unknown[] {
  const count = Math.min(records.length, MAX_BACKGROUND);
  return Array.from({ length: count }, (_, index) => records[Math.floor((index * records.length) / count)]);
}
