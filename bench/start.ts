/**
 * Measures the cold start: the time from exec until a gateway listens, is ready, and has answered its first POST
 * /predict, and the ratio of that first request to the median of the later ones. Rounds alternate, to spread the
 * effect of other load on the machine. A Node program that does nothing is the baseline.
 *
 *   node bench/start.ts PYTHON [--only NAME,NAME] [--rounds 7] [--photos FOLDER]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Command } from './gateway.ts';
import { load, median, start, stopAll } from './load.ts';
import { openStage, prepareCommands } from './subjects.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, rounds: { type: 'string' }, photos: { type: 'string' } },
});
const ROUNDS = Number(values.rounds ?? 7);
const REQUESTS = 200;
const POLL_MS = 5;

const NOTHING: Command = { args: [process.execPath, '--eval', `console.log('{"port":0}')`], env: {} };

/** The times of one start. The first three are counted from exec. */
type Start = {
  readonly listeningMs: number;
  readonly readyMs: number;
  readonly answerMs: number;
  readonly firstMs: number;
  readonly medianMs: number;
};

async function startOnce({ args: [command = '', ...args], env }: Command, bodies: readonly string[]): Promise<Start> {
  const startedMs = performance.now();
  const sinceMs = () => performance.now() - startedMs;
  const { port, pid } = await start(command, args, env);
  const listeningMs = sinceMs();
  const url = `http://127.0.0.1:${port}`;
  try {
    if (port === 0) return { listeningMs, readyMs: listeningMs, answerMs: Number.NaN, firstMs: 0, medianMs: 0 };
    // The references have no health endpoint (404): they are ready when they listen.
    while ((await statusOf(`${url}/health/ready`)) === 503) await sleep(POLL_MS);
    const readyMs = sinceMs();
    const [firstMs = Number.NaN] = await load(url, bodies, 1, 1);
    const answerMs = sinceMs();
    return { listeningMs, readyMs, answerMs, firstMs, medianMs: median(await load(url, bodies, REQUESTS, 1)) };
  } finally {
    await end(pid);
  }
}

async function statusOf(url: string): Promise<number> {
  const response = await fetch(url);
  await response.arrayBuffer();
  return response.status;
}

async function end(pid: number): Promise<void> {
  try {
    process.kill(pid);
    for (;;) {
      await sleep(POLL_MS);
      process.kill(pid, 0);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const models = await mkdtemp(path.join(tmpdir(), 'bench-'));
const stage = await openStage(values.photos);
try {
  const commands = await prepareCommands({ python: positionals[0] ?? 'python3', stage, models });
  const all = [['node', NOTHING] as const, ...commands];
  const subjects = all.filter(([name]) => !values.only || values.only.split(',').includes(name));
  const starts = subjects.map((): Start[] => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [which, [, command]] of subjects.entries()) {
      starts[which]?.push(await startOnce(command, stage.bodies));
    }
  }
  console.log('| gateway | listening ms | ready ms | first answer ms | first request ms | median ms | ratio |');
  console.log('|--|--|--|--|--|--|--|');
  for (const [which, [name]] of subjects.entries()) {
    const of = (key: keyof Start) => median((starts[which] ?? []).map((each) => each[key]));
    if (name === 'node') {
      console.log(`| node | ${of('listeningMs').toFixed(0)} | | | | | |`);
      continue;
    }
    const times = (['listeningMs', 'readyMs', 'answerMs'] as const).map((key) => of(key).toFixed(0));
    const requests = [of('firstMs').toFixed(1), of('medianMs').toFixed(1), (of('firstMs') / of('medianMs')).toFixed(2)];
    console.log(`| ${[name, ...times, ...requests].join(' | ')} |`);
  }
} finally {
  stopAll();
  await stage.close();
  await rm(models, { recursive: true });
}
