/** A model's folder: its versions, in service and withdrawn, and the numbers that were ever used. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { type ModelsError, refused } from './failure.ts';

const VERSION = /^(\d+)$/;
const WITHDRAWN = /^\.withdrawn-(\d+)$/;
const RECORD = /^(\d+)\.json$/;

export type ModelFolder = {
  readonly name: string;
  readonly path: string;
  /** The folders of the versions in service, by number, lowest first. */
  readonly versions: ReadonlyMap<number, string>;
  /** The folders of the withdrawn versions. Servers ignore names that start with a dot. */
  readonly withdrawn: ReadonlyMap<number, string>;
};

/** The path MODELS/NAME. Throws `refused` for an invalid name. */
export function modelPath(models: string, name: string): string {
  if (/^\w[\w.-]*$/.test(name)) return path.join(models, name);
  throw refused(
    `model name "${name}": use letters, digits, underscores, dots and dashes; do not start with a dot or dash`,
  );
}

/** Reads a model's folder. Without a folder there are no versions. */
export async function readModelFolder(models: string, name: string): Promise<ModelFolder> {
  const folder = modelPath(models, name);
  return {
    name,
    path: folder,
    versions: await numbered(folder, VERSION),
    withdrawn: await numbered(folder, WITHDRAWN),
  };
}

/** Reads the folder of a model that must have versions. Throws `refused`. */
export async function readKnownModel(models: string, name: string): Promise<ModelFolder> {
  const folder = await readModelFolder(models, name);
  if (folder.versions.size + folder.withdrawn.size > 0) return folder;
  throw withoutVersions(folder);
}

export function withoutVersions({ name, path: folder }: ModelFolder): ModelsError {
  return refused(`${folder}: no versions of a model ${name} are there; tensorgate models list shows all models`);
}

export function newestVersion({ versions }: ModelFolder): number | undefined {
  return [...versions.keys()].at(-1);
}

/** The folder of a version after it is withdrawn. */
export function withdrawnPath({ path: folder }: ModelFolder, version: number): string {
  return path.join(folder, `.withdrawn-${version}`);
}

/** One above the highest number ever used. The evaluation of a deleted version stays. */
export async function nextNumber(folder: ModelFolder): Promise<number> {
  const records = await numbered(path.join(folder.path, 'evaluation'), RECORD);
  return Math.max(0, ...folder.versions.keys(), ...folder.withdrawn.keys(), ...records.keys()) + 1;
}

/** The children whose name matches the pattern, by their number, lowest first. Empty if `folder` is not a folder. */
async function numbered(folder: string, pattern: RegExp): Promise<Map<number, string>> {
  const children = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw refused(`${folder}: cannot be read: ${error.code}`, { cause: error });
  });
  const found = children.flatMap((child): [number, string][] => {
    const [, digits] = pattern.exec(child) ?? [];
    if (digits === undefined) return [];
    // The gateway cannot name it exactly.
    if (!Number.isSafeInteger(Number(digits))) throw refused(`${folder}/${child}: a version is at most 2^53 - 1`);
    return [[Number(digits), path.join(folder, child)]];
  });
  return new Map(found.sort(([a], [b]) => a - b));
}
