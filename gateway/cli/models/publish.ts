/** Publishes a version: copies it to a staging folder, then renames that to the next number. */
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Companions, placeCompanions } from './companions.ts';
import { copyVersion, type VersionFile } from './copy.ts';
import { createAtomically, fsync } from './disk.ts';
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
 * Copies the version into a folder that servers ignore, reserves a number, writes the records of that number, and
 * renames the folder to it. After a kill the version is complete or absent, and at most one number stays unused. Throws
 * the errors of file operations.
 */
export async function publish({ folder, files, companions }: Candidate, target: ModelFolder): Promise<number> {
  await removeLeftovers(target.path);
  const stage = await makeStage(target.path);
  try {
    const staged = path.join(stage, 'version');
    await copyVersion(folder, files, staged);
    const version = await reserveNumber(companions, target, stage);
    await placeCompanions(companions, { folder: target.path, stage, version });
    await rename(staged, path.join(target.path, String(version)));
    await fsync(target.path);
    return version;
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/**
 * Reserves the next number by creating its evaluation. The file stays when the version is deleted: no number is used
 * twice.
 */
async function reserveNumber({ evaluation }: Companions, target: ModelFolder, stage: string): Promise<number> {
  const evaluations = path.join(target.path, 'evaluation');
  await mkdir(evaluations, { recursive: true });
  // Other processes may have pushed during the copy. If the number's file exists, try the next number.
  const current = await readModelFolder(path.dirname(target.path), target.name);
  for (let version = await nextNumber(current); ; version += 1) {
    const text = jsonText({ ...evaluation, version, model: target.name });
    if (await createAtomically(path.join(evaluations, `${version}.json`), text, path.join(stage, 'draft')))
      return version;
  }
}
