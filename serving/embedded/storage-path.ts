/** Finds the versions in a model's base path that the version policy selects. */

import { lstat, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ModelConfig, Policy } from './model-config.ts';
import { DEFAULT_SIGNATURE } from './protocol.ts';
import { invalidArgument } from './status.ts';

const MODEL_FILE = 'model.onnx';

/**
 * The files of a version. An ONNX graph has one function, so each signature has its own file: model.onnx is
 * `serving_default`, any other NAME.onnx is the signature NAME. `stamp` changes when a file in the folder changes. It
 * is 'absent' while there is no model.onnx.
 */
export type VersionFiles = { readonly graphs: ReadonlyMap<string, string>; readonly stamp: string };

/**
 * Finds the wanted versions: sub-folders whose name is a number, with or without a model in them.
 * @throws StatusError INVALID_ARGUMENT if the base path cannot be read
 */
export async function findVersions({ name, basePath, policy }: ModelConfig): Promise<Map<number, VersionFiles>> {
  const children = await readdir(basePath).catch((cause) => {
    throw invalidArgument(`Could not find base path ${basePath} for servable ${name} with error ${cause}`);
  });
  const folders = new Map(children.filter(isVersion).map((child) => [Number(child), child]));
  const wanted = wantedVersions([...folders.keys()], policy);
  const files = wanted.map(async (version) => {
    return [version, await filesOf(join(basePath, folders.get(version) as string))] as const;
  });
  return new Map(await Promise.all(files));
}

/** The text to log if versions that the configuration asks for are missing from the base path; otherwise undefined. */
export function missingVersions(
  { name, basePath, policy }: ModelConfig,
  found: ReadonlySet<number>,
): string | undefined {
  const missing = policy.kind === 'specific' ? [...policy.versions].filter((version) => !found.has(version)) : [];
  if (missing.length > 0) {
    return (
      `Version ${missing.join(', ')} of servable ${name}, which was requested to be served as a 'specific' ` +
      "version in the servable's version policy, was not found in the file system"
    );
  }
  if (found.size > 0) return undefined;
  return (
    `No versions of servable ${name} found under base path ${basePath}. ` +
    "Did you forget to name your leaf directory as a number (eg. '/1/')?"
  );
}

/** True for the name of a version's folder. Above 2^53 - 1 a number is rounded and would name another version. */
function isVersion(child: string): boolean {
  return /^\d+$/.test(child) && Number.isSafeInteger(Number(child));
}

function wantedVersions(versions: number[], policy: Policy): number[] {
  const newestFirst = versions.sort((a, b) => b - a);
  if (policy.kind === 'all') return newestFirst;
  if (policy.kind === 'latest') return newestFirst.slice(0, policy.count);
  return newestFirst.filter((version) => policy.versions.has(version));
}

async function filesOf(folder: string): Promise<VersionFiles> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    // Deleted since the base path was read, or a file whose name is a number.
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  const others = names.filter((name) => /^[^.].*\.onnx$/.test(name) && name !== MODEL_FILE).sort();
  const graphs = new Map([
    [DEFAULT_SIGNATURE, join(folder, MODEL_FILE)],
    ...others.map((name) => [basename(name, '.onnx'), join(folder, name)] as const),
  ]);
  return { graphs, stamp: names.includes(MODEL_FILE) ? await stampOf(folder, names) : 'absent' };
}

/** Covers all files, because large models store their weights in separate files. */
async function stampOf(folder: string, names: readonly string[]): Promise<string> {
  const stamps = names.toSorted().map(async (name) => {
    const { ino, size, mtimeMs } = await lstat(join(folder, name));
    return `${name}:${ino}:${size}:${mtimeMs}`;
  });
  return (await Promise.all(stamps)).join();
}
