/** `tensorgate models push`: checks a version and publishes it under the next free number. */
import { mkdir, realpath, rmdir, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { sizeText } from '../output.ts';
import { checkSamples, readCompanions } from './companions.ts';
import type { ModelsContext } from './context.ts';
import { fsync } from './disk.ts';
import { refused, writeFailure } from './failure.ts';
import { requireServers } from './find-servers.ts';
import { pushGoal } from './goals.ts';
import { type ModelFolder, newestVersion, readModelFolder } from './model-folder.ts';
import { type Candidate, publish } from './publish.ts';
import { readCardText } from './records.ts';
import { type ReplayGate, requireReplay } from './replay-gate.ts';
import { checkVersion, listVersionFiles, modelFiles } from './version-files.ts';
import { printResult } from './wait.ts';

/** Disk space for the companion files, in addition to the version's own bytes. */
const MARGIN_BYTES = 2 ** 20;

export type Pushed = {
  readonly model: string;
  readonly version: number;
  readonly folder: string;
  readonly files: number;
  readonly bytes: number;
};

export type PushOptions = {
  readonly path: string;
  readonly model: string;
  readonly waitMs?: number | undefined;
  /** A log to replay before the version is published. */
  readonly replay?: ReplayGate | undefined;
};

/** Pushes and prints the result; with `waitMs` waits until every server has loaded the version. Throws ModelsError. */
export async function runPush(
  { path: from, model, waitMs, replay }: PushOptions,
  context: ModelsContext,
): Promise<void> {
  const { models, output } = context;
  using servers = waitMs === undefined ? undefined : await requireServers(model, context);
  const gate =
    replay && ((candidate: Candidate, target: ModelFolder) => requireReplay(candidate, target, replay, output));
  const pushed = await push(from, model, models, gate);
  const { version, folder, files, bytes } = pushed;
  const hasCard = (await readCardText(path.dirname(folder), model)) !== undefined;
  const hint = hasCard ? '' : `; a gateway serves it once it has a model.yaml: tensorgate models new ${model}`;
  const text = `${model} version ${version}: ${folder}, ${sizeText(bytes)} in ${files} files${hint}`;
  const waitOptions = servers && { servers, timeoutMs: waitMs ?? 0, goal: pushGoal(version) };
  await printResult({ value: pushed, text }, waitOptions, output);
}

/**
 * Checks a version and publishes it in MODELS/NAME. `gate`: a last check, which throws. Throws ModelsError if the model has no new
 * version.
 */
export async function push(
  version: string,
  model: string,
  models: string,
  gate?: (candidate: Candidate, target: ModelFolder) => Promise<void>,
): Promise<Pushed> {
  const target = await readModelFolder(models, model);
  const candidate = await checkCandidate(version, model);
  await checkTarget(candidate, target, models);
  await gate?.(candidate, target);
  const isNew = await makeFolder(target.path).catch(fail);
  try {
    if (isNew) await fsync(models);
    await checkSpace(candidate.bytes + MARGIN_BYTES, target.path);
    const number = await publish(candidate, target);
    const { files, bytes } = candidate;
    return { model, version: number, folder: path.join(target.path, String(number)), files: files.length, bytes };
  } catch (error) {
    if (isNew) await removeEmpty(target.path);
    return fail(error);
  }
}

function fail(error: unknown): never {
  throw writeFailure(error, 'nothing was pushed');
}

async function checkCandidate(version: string, model: string): Promise<Candidate> {
  const files = await listVersionFiles(version);
  await checkVersion(version, files);
  const folder = await realpath(version);
  const companions = await readCompanions(folder, model);
  return { folder, files, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), companions };
}

/** Throws `refused` if the version does not fit the published model. */
async function checkTarget(candidate: Candidate, target: ModelFolder, models: string): Promise<void> {
  const about = await stat(models).catch(() => undefined);
  if (!about?.isDirectory()) throw refused(`MODELS: ${models} is not a folder; create it, or use --models`);
  await checkFormats(candidate, target);
  await readCardText(target.path, target.name);
  await checkSamples(candidate.folder, target.path);
}

async function checkFormats({ folder, files }: Candidate, target: ModelFolder): Promise<void> {
  const newest = newestVersion(target);
  if (newest === undefined) return;
  const has = new Set(modelFiles(files));
  const wanted = modelFiles(await listVersionFiles(target.versions.get(newest) ?? ''));
  const missing = wanted.find((name) => !has.has(name));
  if (missing === undefined) return;
  throw refused(
    `${folder}: has no ${missing}, but version ${newest} in service has one, and the server that loads it could not ` +
      'load this version; make convert makes every format',
  );
}

async function checkSpace(wantedBytes: number, folder: string): Promise<void> {
  const { bavail, blocks, bsize } = await statfs(folder);
  // 0 blocks: the file system does not report its size.
  if (blocks === 0 || bavail * bsize >= wantedBytes) return;
  const free = sizeText(bavail * bsize);
  throw refused(`${folder}: ${sizeText(wantedBytes)} are needed, ${free} are free; nothing was pushed`);
}

/** Creates a folder. False if it exists. */
async function makeFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the folder of a new model if it is still empty. */
async function removeEmpty(folder: string): Promise<void> {
  for (const empty of [path.join(folder, 'evaluation'), folder]) await rmdir(empty).catch(() => undefined);
}
