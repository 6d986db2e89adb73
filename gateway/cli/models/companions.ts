/**
 * The files that are pushed along with a version from the folder around it: model.yaml, evaluation, baseline, parity
 * scores, samples, background.
 */
import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import type { Baseline } from '../../model/baseline.ts';
import { parseCard } from '../../model/card.ts';
import { createAtomically, fsync, writeSynced } from './disk.ts';
import { refused } from './failure.ts';
import {
  type Evaluation,
  jsonText,
  readBaselineFile,
  readCardText,
  readEvaluation,
  readIfThere,
  readScores,
  readTensors,
} from './records.ts';

export type Companions = {
  /** The text of model.yaml. */
  readonly card?: string;
  readonly evaluation?: Evaluation;
  readonly scores?: object;
  readonly baseline?: Baseline;
  /** The files in parity/ that all versions share, by name: the pictures, then tensors.json. */
  readonly samples: ReadonlyMap<string, Buffer>;
  /** The file that model.yaml names as background, by its name there. */
  readonly background?: readonly [name: string, bytes: Buffer];
};

/**
 * Reads the companion files if the version's parent is a model's folder. Throws `refused` for invalid files, for files
 * of another model, and for a version that the evaluation gate refused.
 */
export async function readCompanions(version: string, model: string): Promise<Companions> {
  const folder = path.dirname(version);
  const number = path.basename(version);
  const card = await readCardText(folder, model);
  if (card === undefined) return { samples: new Map() };
  const evaluation = await readEvaluation(folder, number);
  if (evaluation?.gate?.decision === 'refused') {
    throw refused(
      `${version}: the evaluation gate refused it; ${path.join(folder, 'evaluation', number)}.json says why`,
    );
  }
  const scores = await readScores(folder, number);
  const baseline = await readBaselineFile(folder, number);
  const background = await readBackgroundFile(folder, card);
  return {
    card,
    ...(evaluation && { evaluation }),
    ...(scores && { scores }),
    ...(baseline && { baseline: { ...baseline, model } }),
    ...(background && { background }),
    samples: await readSamples(folder),
  };
}

/** Throws `refused` where model.yaml names a file that is not there. */
async function readBackgroundFile(folder: string, card: string): Promise<readonly [string, Buffer] | undefined> {
  const { background } = parseCard(card, folder);
  if (background === undefined) return undefined;
  const bytes = await readIfThere(path.join(folder, background));
  if (bytes !== undefined) return [background, bytes];
  throw refused(`${path.join(folder, background)}: is missing; background in model.yaml names it`);
}

async function readSamples(folder: string): Promise<Map<string, Buffer>> {
  const tensors = await readTensors(folder);
  const found = new Map<string, Buffer>();
  for (const name of tensors ? [...tensors.samples.map(({ file }) => file), 'tensors.json'] : []) {
    const file = path.join(folder, 'parity', name);
    const bytes = await readIfThere(file);
    if (bytes === undefined) throw refused(`${file}: is missing; parity/tensors.json names it`);
    found.set(name, bytes);
  }
  return found;
}

/**
 * Throws `refused` if a version was made with other parity samples than the published model has. The gateway would
 * compare its scores with those of other tensors, and refuse the version.
 */
export async function checkSamples(version: string, model: string): Promise<void> {
  const [pushed, published] = await Promise.all([readTensors(path.dirname(version)), readTensors(model)]);
  if (!pushed || !published) return;
  const hashes = new Map(published.samples.map(({ file, sha256 }) => [file, sha256]));
  const other = pushed.samples.find(({ file, sha256 }) => hashes.get(file) !== sha256);
  if (!other) return;
  throw refused(
    `${version}: its parity/${other.file} differs from that of ${model}: it needs another model.yaml; ` +
      'push it under another model name, or replace model.yaml and parity/ there first',
  );
}

export type Destination = { readonly folder: string; readonly stage: string; readonly version: number };

/** Writes all but the evaluation: samples, background and model.yaml unless they exist, then this version's scores and baseline. */
export async function placeCompanions(
  { card, scores, baseline, samples, background }: Companions,
  to: Destination,
): Promise<void> {
  const { folder, stage, version } = to;
  const draft = path.join(stage, 'draft');
  const parity = path.join(folder, 'parity');
  if (samples.size > 0) await mkdir(parity, { recursive: true });
  for (const [name, bytes] of samples) await createAtomically(path.join(parity, name), bytes, draft);
  if (background) {
    const [name, bytes] = background;
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await createAtomically(path.join(folder, name), bytes, draft);
  }
  if (card !== undefined) await createAtomically(path.join(folder, 'model.yaml'), card, draft);
  for (const [name, file] of [
    ['parity', scores],
    ['baseline', baseline],
  ] as const) {
    if (!file) continue;
    await mkdir(path.join(folder, name), { recursive: true });
    await writeSynced(draft, jsonText({ ...file, version }));
    await rename(draft, path.join(folder, name, `${version}.json`));
    await fsync(path.join(folder, name));
  }
}
