/** `models push --replay`: a version is published only if it answers logged predictions as well as the newest one in service. */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hasEmbedded } from '../../backend/embedded.ts';
import { startOwnGateway } from '../gateway/own.ts';
import type { Output } from '../output.ts';
import { compare } from '../replay/compare.ts';
import { sampleOf } from '../replay/log.ts';
import { picturesIn } from '../replay/pictures.ts';
import { boundsIn } from '../verdict/bounds.ts';
import { reportOf } from '../verdict/report.ts';
import { textOf } from '../verdict/text.ts';
import { changedCard } from './edit-card.ts';
import { refused } from './failure.ts';
import { type ModelFolder, newestVersion, readModelFolder } from './model-folder.ts';
import { type Candidate, publish } from './publish.ts';
import { readCardText } from './records.ts';

export type ReplayGate = {
  /** Files and folders of PREDICTION_LOG. */
  readonly log: readonly string[];
  readonly pictures: readonly string[];
};

const LIMIT = 2000;
const CONCURRENCY = 4;

/** Of the card these are for servers and versions that the replay does not have. */
const ELSEWHERE = ['backend', 'traffic', 'shadow'] as const;

/** Serves both versions on an embedded server of its own. Throws `refused` with the verdict unless it is to promote. */
export async function requireReplay(
  candidate: Candidate,
  target: ModelFolder,
  { log, pictures }: ReplayGate,
  output: Output,
): Promise<void> {
  const newest = newestVersion(target);
  if (newest === undefined) throw refused(`${target.path}: has no version to compare with; push without --replay`);
  if (!hasEmbedded()) throw refused('--replay needs the embedded model server: npm install onnxruntime-node');
  const sampled = await sampleOf(log, {
    model: target.name,
    period: {},
    pictures: await picturesIn(pictures),
    limit: LIMIT,
  });
  const models = await mkdtemp(path.join(tmpdir(), 'replay-'));
  try {
    const version = await placeBoth(candidate, target, newest, models);
    await using own = await startOwnGateway({
      MODELS: models,
      DEFAULT_MODEL: target.name,
      TF_SERVING_HOST: '',
      PREDICTION_LOG: 'off',
    });
    const pair = { model: target.name, candidate: version, reference: newest };
    const { compared } = await compare(sampled.instances, pair, { base: own.url, concurrency: CONCURRENCY });
    const report = reportOf(compared, await boundsIn(path.dirname(target.path), compared));
    output.progress(textOf(report));
    if (report.decision === 'promote') return;
    throw refused(`${candidate.folder}: the replay says ${report.decision}; nothing was pushed`);
  } finally {
    await rm(models, { recursive: true, force: true });
  }
}

/** A folder MODELS with the newest version in service and the candidate. Returns the number of the candidate there. */
async function placeBoth(
  candidate: Candidate,
  { name, path: folder, versions }: ModelFolder,
  newest: number,
  models: string,
): Promise<number> {
  const copy = path.join(models, name);
  await mkdir(copy);
  await cp(versions.get(newest) ?? '', path.join(copy, String(newest)), { recursive: true });
  for (const kept of ['parity', 'baseline']) {
    await cp(path.join(folder, kept), path.join(copy, kept), { recursive: true }).catch(unlessMissing);
  }
  const card = (await readCardText(folder, name)) ?? candidate.companions.card;
  if (card === undefined) throw refused(`${folder}: has no model.yaml, which says how the model is asked`);
  const own = changedCard(
    card,
    ELSEWHERE.map((field) => ({ path: [field], value: undefined })),
  );
  await writeFile(path.join(copy, 'model.yaml'), own);
  return publish(candidate, await readModelFolder(models, name));
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
