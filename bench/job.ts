/**
 * Compares the gateway with two Python gateways on the same work: POST /predict with the URL of a photo, which is
 * fetched from an origin on loopback, decoded, resized to a 299 x 299 tensor and sent to a null model server. Rounds
 * alternate, to spread the effect of other load on the machine. Each gateway runs on all cores except the last; the
 * load generator, the origin and the model server share the last one.
 *
 *   node bench/job.ts PYTHON [--quick] [--only NAME,NAME] [--photos FOLDER]
 *
 * The cost of a million predictions is their CPU time at the price of a Google e2-standard-2: two virtual CPUs for
 * 0.067 USD per hour in us-central1.
 */
import { parseArgs } from 'node:util';
import { cpuMsOf, load, loopP99Ms, median, moveAside, stopAll, treeOf } from './load.ts';
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
  /** The 99th percentile of the event loop delay. NaN for a reference. */
  readonly loopMs: number;
};

async function round(subject: Subject, bodies: readonly string[], concurrency: number): Promise<Round> {
  const { url, pid } = subject;
  await loopP99Ms(subject.adminPort);
  const cpuBeforeMs = await cpuMsOf(pid);
  const startedMs = performance.now();
  const latencies = await load(url, bodies, REQUESTS, concurrency);
  const tookS = (performance.now() - startedMs) / 1000;
  const cpuMs = ((await cpuMsOf(pid)) - cpuBeforeMs) / REQUESTS;
  const at = (share: number) => latencies[Math.floor(share * (latencies.length - 1))] ?? Number.NaN;
  const rssMb = (await treeOf(pid)).reduce((sum, each) => sum + each.rssMb, 0);
  const loopMs = await loopP99Ms(subject.adminPort);
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
    '| concurrency | gateway | requests/s | p50 ms | p99 ms | CPU-ms per request | ratio to asyncio | peak RSS MB | USD per million | event loop p99 ms |',
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
