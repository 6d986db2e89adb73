/** `tensorgate models rollback`: takes the newest versions out of service, so that servers load the one before. */
import { rename } from 'node:fs/promises';
import path from 'node:path';
import type { ModelsContext } from './context.ts';
import { sync } from './disk.ts';
import { refused, writeFailure } from './failure.ts';
import { isRolledBack } from './judge.ts';
import { checkUnlabelled } from './labels.ts';
import { type ModelFolder, newestVersion, readKnownModel, withdrawnPath } from './model-folder.ts';
import { openServers } from './servers.ts';
import { announce } from './wait.ts';

export type RollbackOptions = {
  readonly model: string;
  readonly to?: number | undefined;
  readonly waitMs?: number | undefined;
};

/**
 * Makes version `to`, by default the one before the newest, the newest in service: those above it are withdrawn, and it
 * is put back where it was withdrawn itself. Throws ModelsError.
 */
export async function runRollback({ model, to, waitMs }: RollbackOptions, context: ModelsContext): Promise<void> {
  const { models, backends, tls, output } = context;
  using servers = waitMs === undefined ? undefined : openServers(backends, tls);
  const folder = await readKnownModel(models, model);
  const version = to ?? versionBefore(folder);
  if (!folder.versions.has(version) && !folder.withdrawn.has(version)) {
    throw refused(`${folder.path}: has no version ${version}`);
  }
  const withdrawn = [...folder.versions.keys()].filter((one) => one > version);
  for (const one of withdrawn) await checkUnlabelled(models, model, one);
  const restored = !folder.versions.has(version);
  await change(folder, version, withdrawn).catch((error: unknown) => {
    throw writeFailure(error, `tensorgate models list ${model} shows what is in service now`);
  });
  const parts = [
    `version ${version} is the newest in service`,
    ...(restored ? ['put back'] : []),
    ...(withdrawn.length > 0 ? [`withdrawn: ${withdrawn.join(', ')}`] : []),
  ];
  const done = { value: { model, version, withdrawn, restored }, text: `${model}: ${parts.join('; ')}` };
  const waiting = servers && { servers, timeoutMs: waitMs ?? 0, judge: isRolledBack(version, withdrawn) };
  await announce(done, waiting, output);
}

function versionBefore(folder: ModelFolder): number {
  const before = [...folder.versions.keys()].at(-2);
  if (before !== undefined) return before;
  const [last] = [...folder.withdrawn.keys()].slice(-1);
  const hint = last === undefined ? '' : `; --to ${last} puts the withdrawn version ${last} back`;
  throw refused(`${folder.path}: there is no version before ${newestVersion(folder) ?? 'the first'}${hint}`);
}

/** Lowest first, so that no server loads a version on the way down; the wanted one is there before the first one goes. */
async function change(folder: ModelFolder, version: number, withdrawn: readonly number[]): Promise<void> {
  const hidden = folder.withdrawn.get(version);
  if (hidden !== undefined) await rename(hidden, path.join(folder.path, String(version)));
  for (const one of withdrawn) await rename(folder.versions.get(one) ?? '', withdrawnPath(folder, one));
  await sync(folder.path);
}
