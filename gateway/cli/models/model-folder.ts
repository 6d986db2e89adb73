/** A model's folder: which versions lie there, in service and withdrawn, and which numbers were ever used. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { refused } from './failure.ts';

const VERSION = /^(\d+)$/;
const WITHDRAWN = /^\.withdrawn-(\d+)$/;
const RECORD = /^(\d+)\.json$/;

export type ModelFolder = {
  readonly name: string;
  readonly path: string;
  /** The folders of the versions that servers see, by number, lowest first. */
  readonly versions: ReadonlyMap<number, string>;
  /** The folders of those that were taken out of service; the dot in front makes servers ignore them. */
  readonly withdrawn: ReadonlyMap<number, string>;
};

/** The path MODELS/NAME. Throws `refused` for a name that is none. */
export function modelPath(models: string, name: string): string {
  if (/^\w[\w.-]*$/.test(name)) return path.join(models, name);
  throw refused(`model name "${name}": use letters, digits, underscores, dots and dashes, the first no dot or dash`);
}

/** Reads a model's folder; one that does not exist has no versions. */
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
  throw refused(`${folder.path}: no versions of a model ${name} are there; tensorgate models list shows all models`);
}

export function newestVersion({ versions }: ModelFolder): number | undefined {
  return [...versions.keys()].at(-1);
}

/** Where a version is kept that was taken out of service. */
export function withdrawnPath({ path: folder }: ModelFolder, version: number): string {
  return path.join(folder, `.withdrawn-${version}`);
}

/** The number above all that were ever used: versions leave their evaluation behind. */
export async function nextNumber(folder: ModelFolder): Promise<number> {
  const records = await numbered(path.join(folder.path, 'evaluation'), RECORD);
  return Math.max(0, ...folder.versions.keys(), ...folder.withdrawn.keys(), ...records.keys()) + 1;
}

/** The children of a folder whose names hold a number, by that number, lowest first; of what is no folder, none. */
async function numbered(folder: string, pattern: RegExp): Promise<Map<number, string>> {
  const children = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw refused(`${folder}: cannot be read: ${error.code}`, { cause: error });
  });
  const found = children.flatMap((child): [number, string][] => {
    const [, digits] = pattern.exec(child) ?? [];
    return digits === undefined ? [] : [[Number(digits), path.join(folder, child)]];
  });
  return new Map(found.sort(([a], [b]) => a - b));
}
