/** Publishes a version: out of sight until it is whole, then under a number of its own, at once. */
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Companions, placeCompanions } from './companions.ts';
import { copyVersion, type VersionFile } from './copy.ts';
import { createWhole, sync } from './disk.ts';
import { type ModelFolder, nextNumber, readModelFolder } from './model-folder.ts';
import { jsonText } from './records.ts';
import { makeStage, removeLeftovers } from './stage.ts';

/** A version that has been checked. */
export type Candidate = {
  readonly folder: string;
  readonly files: readonly VersionFile[];
  readonly bytes: number;
  readonly companions: Companions;
};

/**
 * Copies the version into a folder that servers ignore, takes a number, puts the records of that number in place and
 * renames the folder to it. Killed at any moment it leaves the version whole or not at all, and at most a number that
 * is never used. Throws what the file operations throw.
 */
export async function publish({ folder, files, companions }: Candidate, target: ModelFolder): Promise<number> {
  await removeLeftovers(target.path);
  const stage = await makeStage(target.path);
  try {
    const staged = path.join(stage, 'version');
    await copyVersion(folder, files, staged);
    const version = await takeNumber(companions, target, stage);
    await placeCompanions(companions, { folder: target.path, stage, version });
    await rename(staged, path.join(target.path, String(version)));
    await sync(target.path);
    return version;
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/** Takes the next number for good: a version's evaluation is the claim to it, and stays when the version goes. */
async function takeNumber({ evaluation }: Companions, target: ModelFolder, stage: string): Promise<number> {
  const evaluations = path.join(target.path, 'evaluation');
  await mkdir(evaluations, { recursive: true });
  // The copying took its time: others may have pushed meanwhile, and a file that is taken is one more try.
  const current = await readModelFolder(path.dirname(target.path), target.name);
  for (let version = await nextNumber(current); ; version += 1) {
    const text = jsonText({ ...evaluation, version, model: target.name });
    if (await createWhole(path.join(evaluations, `${version}.json`), text, path.join(stage, 'draft'))) return version;
  }
}
