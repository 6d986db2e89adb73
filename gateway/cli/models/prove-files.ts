/** The files that `tensorgate models prove` reads and writes in parity/. */
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ModelCard } from '../../model/card.ts';
import { readTensorsFile, type TensorsFile } from '../../model/parity-files.ts';
import { writeAtomically } from './disk.ts';
import { refused } from './failure.ts';
import { jsonText } from './records.ts';

const PICTURE = /\.(jpe?g|png|webp|gif|avif|tiff?)$/i;
/** The largest difference of a score between two ways of running the same version, as in training's agreement.py. */
const TOLERANCE = 1e-4;
/** Of the largest score, for numbers above 10 such as prices: float32 rounds by a share of the number. */
const RELATIVE_TOLERANCE = 1e-5;

export type Sample = TensorsFile['samples'][number];

/** The tensors and scores of the pictures with one version. */
export type Proven = { readonly version: number; readonly samples: readonly Sample[]; readonly scores: Scores };

/** The scores of each picture. */
type Scores = Readonly<Record<string, readonly number[]>>;

/** The pictures in parity/. Refuses to replace tensors that training itself has written. */
export async function readPictures({ folder, name }: ModelCard): Promise<readonly string[]> {
  const parity = path.join(folder, 'parity');
  const tensors = await readTensorsFile(folder).catch((cause: Error) => {
    throw refused(`${parity}/tensors.json: is not valid: ${cause.message}`, { cause });
  });
  if (tensors?.source === 'training') {
    throw refused(
      `${parity}/tensors.json: has training's own tensors, which model.yaml must give; change model.yaml back, or ` +
        'remove the file if training read pictures in another way',
    );
  }
  const files = tensors?.samples.map(({ file }) => file) ?? (await readdir(parity).catch((): string[] => []));
  const pictures = files.filter((file) => PICTURE.test(file)).sort();
  const missing = pictures.find((file) => !existsSync(path.join(parity, file)));
  if (missing !== undefined) throw refused(`${parity}/${missing}: is missing; parity/tensors.json names it`);
  if (pictures.length === 0) throw refused(`${parity}: has no pictures; put a few there that ${name} can classify`);
  return pictures;
}

/** Writes VERSION.json of each version, then tensors.json: a gateway proves again when that one changes. */
export async function writeConfirmed({ folder, image }: ModelCard, proven: readonly Proven[]): Promise<void> {
  const parity = path.join(folder, 'parity');
  const { samples } = proven.at(-1) as Proven;
  const before = await readTensorsFile(folder);
  if (before && !isDeepStrictEqual(hashesOf(before.samples), hashesOf(samples))) {
    // Scores of other tensors: no version could match them.
    for (const file of await readdir(parity)) if (/^\d+\.json$/.test(file)) await rm(path.join(parity, file));
  }
  for (const { version, scores } of proven) {
    const file = path.join(parity, `${version}.json`);
    await writeAtomically(file, jsonText({ version, tolerance: toleranceFor(scores), scores }));
  }
  await writeAtomically(path.join(parity, 'tensors.json'), jsonText({ source: 'confirmed', image, samples }));
}

function toleranceFor(scores: Scores): number {
  const largest = Math.max(...Object.values(scores).flat().map(Math.abs));
  return Math.max(TOLERANCE, RELATIVE_TOLERANCE * largest);
}

const hashesOf = (samples: readonly Sample[]) =>
  samples.map(({ file, sha256, pixels_sha256 }) => `${file} ${sha256 ?? pixels_sha256}`).sort();
