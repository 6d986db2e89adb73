/** `tensorgate models rollback`: withdraws the newest versions: servers load the one before. */
import { rename } from 'node:fs/promises';
import path from 'node:path';
import type { ModelsContext } from './context.ts';
import { fsync } from './disk.ts';
import { refused, writeFailure } from './failure.ts';
import { requireServers } from './find-servers.ts';
import { rollbackGoal } from './goals.ts';
import { checkNotInTraffic } from './in-traffic.ts';
import { checkUnlabelled } from './labels.ts';
import { type ModelFolder, newestVersion, readKnownModel, withdrawnPath } from './model-folder.ts';
import { printResult } from './wait.ts';

export type RollbackOptions = {
  readonly model: string;
  readonly to?: number | undefined;
  readonly waitMs?: number | undefined;
};

/**
 * Makes version `to`, by default the one before the newest, the newest in service. Withdraws all versions above it, and
 * restores it if it was withdrawn. Throws ModelsError.
 */
export async function runRollback({ model, to, waitMs }: RollbackOptions, context: ModelsContext): Promise<void> {
  const { models, output } = context;
  using servers = waitMs === undefined ? undefined : await requireServers(model, context);
  const folder = await readKnownModel(models, model);
  const version = to ?? versionBefore(folder);
  if (!folder.versions.has(version) && !folder.withdrawn.has(version)) {
    throw refused(`${folder.path}: has no version ${version}`);
  }
  const withdrawn = [...folder.versions.keys()].filter((one) => one > version);
  for (const one of withdrawn) {
    await checkUnlabelled(models, model, one);
    await checkNotInTraffic(models, model, one);
  }
  const restored = !folder.versions.has(version);
  await renameVersions(folder, version, withdrawn).catch((error: unknown) => {
    throw writeFailure(error, `tensorgate models list ${model} shows what is in service now`);
  });
  const parts = [
    `version ${version} is the newest in service`,
    ...(restored ? ['restored'] : []),
    ...(withdrawn.length > 0 ? [`withdrawn: ${withdrawn.join(', ')}`] : []),
  ];
  const result = { value: { model, version, withdrawn, restored }, text: `${model}: ${parts.join('; ')}` };
  const waitOptions = servers && { servers, timeoutMs: waitMs ?? 0, goal: rollbackGoal(version, withdrawn) };
  await printResult(result, waitOptions, output);
}

function versionBefore(folder: ModelFolder): number {
  const before = [...folder.versions.keys()].at(-2);
  if (before !== undefined) return before;
  const [last] = [...folder.withdrawn.keys()].slice(-1);
  const hint = last === undefined ? '' : `; --to ${last} restores the withdrawn version ${last}`;
  throw refused(`${folder.path}: there is no version before ${newestVersion(folder) ?? 'the first'}${hint}`);
}

/** Restores the wanted version first, then withdraws lowest first: no server loads a version in between. */
async function renameVersions(folder: ModelFolder, version: number, withdrawn: readonly number[]): Promise<void> {
  const hidden = folder.withdrawn.get(version);
  if (hidden !== undefined) await rename(hidden, path.join(folder.path, String(version)));
  for (const one of withdrawn) await rename(folder.versions.get(one) ?? '', withdrawnPath(folder, one));
  await fsync(folder.path);
}
