/**
 * Compares one gateway process on one core and on two. The load generator, the image origin and the model server also
 * need CPU. On a machine with two cores they take it from the gateway's second core. The result to compare is
 * therefore the number of requests per core-second of the gateway, together with the idle time of the machine.
 *
 *   node bench/cores.ts [PHOTOS]
 */
import { cpus } from 'node:os';
import { cpuMsOf, load, median, moveAside, stopAll } from './load.ts';
import { openStage, type Subject, startSubjects } from './subjects.ts';

const ROUNDS = 5;
const REQUESTS = 600;
const CONCURRENCY = 32;

type Round = { readonly perSecond: number; readonly cores: number; readonly idle: number };

/** The idle time of all CPUs since boot, in ms. */
const idleMs = () => cpus().reduce((sum, { times }) => sum + times.idle, 0);

async function round({ url, pid }: Subject, bodies: readonly string[]): Promise<Round> {
  const before = { cpuMs: await cpuMsOf(pid), idleMs: idleMs() };
  const startedMs = performance.now();
  await load(url, bodies, REQUESTS, CONCURRENCY);
  const tookMs = performance.now() - startedMs;
  const usedMs = (await cpuMsOf(pid)) - before.cpuMs;
  return { perSecond: (1000 * REQUESTS) / tookMs, cores: usedMs / tookMs, idle: (idleMs() - before.idleMs) / tookMs };
}

await moveAside();
const stage = await openStage(process.argv[2]);
try {
  const subjects: Subject[] = [];
  for (const list of ['0', '0-1']) {
    const aside = ['taskset', '--cpu-list', list];
    subjects.push(...(await startSubjects({ python: '', aside, stage, only: ['tensorgate'] })));
  }
  for (const { url } of subjects) await load(url, stage.bodies, 1500, CONCURRENCY);
  const rounds = subjects.map((): Round[] => []);
  for (let index = 0; index < ROUNDS; index += 1) {
    for (const [which, subject] of subjects.entries()) rounds[which]?.push(await round(subject, stage.bodies));
  }
  console.log(
    '| cores | requests/s | cores used | requests per core-second | ratio | idle cores |\n|--|--|--|--|--|--|',
  );
  const figures = rounds.map((each) => ({
    perSecond: median(each.map(({ perSecond }) => perSecond)),
    cores: median(each.map(({ cores }) => cores)),
    idle: median(each.map(({ idle }) => idle)),
  }));
  const [one] = figures;
  for (const [which, { perSecond, cores, idle }] of figures.entries()) {
    const ratio = one ? (perSecond / cores / (one.perSecond / one.cores)) * (which + 1) : Number.NaN;
    const cells = [which + 1, perSecond.toFixed(0), cores.toFixed(2), (perSecond / cores).toFixed(0), ratio.toFixed(2)];
    console.log(`| ${[...cells, idle.toFixed(2)].join(' | ')} |`);
  }
} finally {
  stopAll();
  await stage.close();
}
