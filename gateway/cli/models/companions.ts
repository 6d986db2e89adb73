/** What comes along with a version from the folder that it lies in: model.yaml, evaluation, parity scores and samples. */
import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { createWhole, sync, writeSynced } from './disk.ts';
import { refused } from './failure.ts';
import {
  type Evaluation,
  jsonText,
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
  /** The files of parity/ that all versions share: the pictures, then tensors.json. */
  readonly samples: ReadonlyMap<string, Buffer>;
};

/**
 * Reads them where the version's parent is a model's folder. Throws `refused` for files that cannot be used, for those
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
  return { card, ...(evaluation && { evaluation }), ...(scores && { scores }), samples: await readSamples(folder) };
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
 * Throws `refused` when a version was made with other parity samples than the model in place has: its scores would be
 * held against tensors that are not its own, and the gateway would turn it down as differing.
 */
export async function checkSamples(version: string, model: string): Promise<void> {
  const [theirs, ours] = await Promise.all([readTensors(path.dirname(version)), readTensors(model)]);
  if (!theirs || !ours) return;
  const hashes = new Map(ours.samples.map(({ file, sha256 }) => [file, sha256]));
  const other = theirs.samples.find(({ file, sha256 }) => hashes.get(file) !== sha256);
  if (!other) return;
  throw refused(
    `${version}: its parity/${other.file} is not that of ${model}: it needs another model.yaml; ` +
      'push it as a model of its own, or put its model.yaml and parity/ in place first',
  );
}

export type Place = { readonly folder: string; readonly stage: string; readonly version: number };

/** Puts them in place, except the evaluation: samples and model.yaml where there are none, then this version's scores. */
export async function placeCompanions({ card, scores, samples }: Companions, place: Place): Promise<void> {
  const { folder, stage, version } = place;
  const draft = path.join(stage, 'draft');
  const parity = path.join(folder, 'parity');
  if (scores || samples.size > 0) await mkdir(parity, { recursive: true });
  for (const [name, bytes] of samples) await createWhole(path.join(parity, name), bytes, draft);
  if (card !== undefined) await createWhole(path.join(folder, 'model.yaml'), card, draft);
  if (!scores) return;
  await writeSynced(draft, jsonText({ ...scores, version }));
  await rename(draft, path.join(parity, `${version}.json`));
  await sync(parity);
}
