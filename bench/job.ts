/**
 * The job, against the same job in Python, in one run: POST /predict with a photo's URL, which is fetched from an origin on
 * loopback, decoded, made a tensor of 299 x 299 and sent to a model server that does nothing. Rounds alternate, so that a
 * busy machine is busy for all. Each gateway has all cores but the last, which the load, the origin and the model server
 * share.
 *
 *   node bench/job.ts PYTHON [--quick] [--only NAME,NAME] [--photos FOLDER]
 *
 * A million predictions cost what the machine time does that they take: an e2-standard-2 of Google, whose two virtual
 * CPUs cost 0.067 USD an hour in us-central1.
 */
import { parseArgs } from 'node:util';
import { cpuMsOf, load, median, moveAside, stopAll, treeOf } from './load.ts';
import { openStage, type Subject, startSubjects } from './subjects.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean' },
    only: { type: 'string' },
    photos: { type: 'string' },
  },
});
const ROUNDS = values.quick ? 3 : 5;
const USD_PER_CPU_HOUR = 0.067 / 2;
const REQUESTS = values.quick ? 200 : 400;
const WARM_UP = values.quick ? 600 : 1500;
const CONCURRENCY = values.quick ? [8, 32] : [1, 8, 32];

type Round = {
  readonly perSecond: number;
  readonly cpuMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly rssMb: number;
  /** How late the event loop was, 99 % of the time; NaN of a reference. */
  readonly loopMs: number;
};

/** The metric counts from its last reading, and has what it sleeps between two looks at the loop in it. */
const LOOP_SAMPLE_MS = 50;

async function loopP99Ms({ adminPort }: Subject): Promise<number> {
  if (adminPort === 0) return Number.NaN;
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  return Number(/^nodejs_eventloop_lag_p99_seconds (\S+)/m.exec(text)?.[1]) * 1000 - LOOP_SAMPLE_MS;
}

async function round(subject: Subject, bodies: readonly string[], concurrency: number): Promise<Round> {
  const { url, pid } = subject;
  await loopP99Ms(subject);
  const cpuBeforeMs = await cpuMsOf(pid);
  const startedMs = performance.now();
  const latencies = await load(url, bodies, REQUESTS, concurrency);
  const tookS = (performance.now() - startedMs) / 1000;
  const cpuMs = ((await cpuMsOf(pid)) - cpuBeforeMs) / REQUESTS;
  const at = (share: number) => latencies[Math.floor(share * (latencies.length - 1))] ?? Number.NaN;
  const rssMb = (await treeOf(pid)).reduce((sum, each) => sum + each.rssMb, 0);
  const loopMs = await loopP99Ms(subject);
  return { perSecond: REQUESTS / tookS, cpuMs, p50Ms: at(0.5), p99Ms: at(0.99), rssMb, loopMs };
}

function summary(rounds: readonly Round[]): Round {
  const of = (key: keyof Round) => median(rounds.map((each) => each[key]));
  const rssMb = Math.max(...rounds.map((each) => each.rssMb));
  const [p50Ms, p99Ms, loopMs] = [of('p50Ms'), of('p99Ms'), of('loopMs')];
  return { perSecond: of('perSecond'), cpuMs: of('cpuMs'), p50Ms, p99Ms, rssMb, loopMs };
}

const aside = await moveAside();
const stage = await openStage(values.photos);
try {
  const subjects = await startSubjects({
    python: positionals[0] ?? 'python3',
    aside,
    stage,
    only: values.only?.split(','),
  });
  for (const { url } of subjects) await load(url, stage.bodies, WARM_UP, 8);
  console.log(
    '| concurrency | gateway | requests/s | p50 ms | p99 ms | CPU-ms a request | of asyncio | peak RSS MB | USD a million | event loop p99 ms |',
  );
  console.log('|--|--|--|--|--|--|--|--|--|--|');
  for (const concurrency of CONCURRENCY) {
    const rounds = subjects.map((): Round[] => []);
    for (let index = 0; index < ROUNDS; index += 1) {
      for (const [which, subject] of subjects.entries()) {
        rounds[which]?.push(await round(subject, stage.bodies, concurrency));
      }
    }
    const figures = rounds.map(summary);
    const reference = figures[subjects.findIndex(({ name }) => name === 'asyncio')]?.cpuMs ?? Number.NaN;
    for (const [which, { perSecond, p50Ms, p99Ms, cpuMs, rssMb, loopMs }] of figures.entries()) {
      const cells = [perSecond.toFixed(0), p50Ms.toFixed(1), p99Ms.toFixed(1), cpuMs.toFixed(2)];
      cells.push((cpuMs / reference).toFixed(2), rssMb.toFixed(0), ((cpuMs / 3.6) * USD_PER_CPU_HOUR).toFixed(3));
      cells.push(Number.isNaN(loopMs) ? '' : loopMs.toFixed(1));
      console.log(`| ${[concurrency, subjects[which]?.name, ...cells].join(' | ')} |`);
    }
  }
} finally {
  stopAll();
  await stage.close();
}
