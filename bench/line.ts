/**
 * The straight line against a reference in Python, in one run: both fetch the same photo from the same origin, make the
 * same tensor and send it to the same model server that does nothing. Rounds alternate, so that a busy machine is
 * busy for both. Prints requests/s, latencies and the CPU time of the server's own process and its children.
 */
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { cpuMsOf, load, median, start, stopAll } from './load.ts';

const ROUNDS = 5;
const WARM_UP = 200;
const REQUESTS = 500;
const CONCURRENCY = [1, 16];

const here = (file: string) => new URL(file, import.meta.url).pathname;
const photo = await readFile(here('../tests/golden/images/jpg-420.jpg'));

type Subject = { readonly name: string; readonly url: string; readonly pid: number };
type Round = { readonly perSecond: number; readonly cpuMs: number; readonly p50Ms: number; readonly p99Ms: number };

async function round({ url, pid }: Subject, body: string, concurrency: number): Promise<Round> {
  const cpuBeforeMs = await cpuMsOf(pid);
  const startedMs = performance.now();
  const latencies = await load(url, body, REQUESTS, concurrency);
  const tookS = (performance.now() - startedMs) / 1000;
  const cpuMs = ((await cpuMsOf(pid)) - cpuBeforeMs) / REQUESTS;
  const at = (share: number) => latencies[Math.floor(share * (latencies.length - 1))] ?? Number.NaN;
  return { perSecond: REQUESTS / tookS, cpuMs, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function summary(rounds: readonly Round[]): Round {
  const of = (key: keyof Round) => median(rounds.map((each) => each[key]));
  return { perSecond: of('perSecond'), cpuMs: of('cpuMs'), p50Ms: of('p50Ms'), p99Ms: of('p99Ms') };
}

const origin = createServer((_request, response) => response.end(photo)).listen(0, '127.0.0.1');
await once(origin, 'listening');
const body = JSON.stringify({ url: `http://127.0.0.1:${(origin.address() as AddressInfo).port}/photo.jpg` });
const models = await mkdtemp(path.join(tmpdir(), 'bench-'));
await mkdir(path.join(models, 'clothing-model'));
await writeFile(path.join(models, 'clothing-model', 'model.yaml'), await readFile(here('model.yaml')));

try {
  const backend = await start(process.execPath, [here('null-backend.ts')]);
  const target = `127.0.0.1:${backend.port}`;
  const python = await start(process.argv[2] ?? 'python3', [here('reference.py'), target]);
  const settings = { HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0', MODELS: models, TF_SERVING_HOST: target };
  const gateway = await start(process.execPath, [here('../gateway/cli/main.ts'), 'serve'], {
    ...settings,
    FETCH_ALLOW_PRIVATE: 'true',
  });
  const subjects: Subject[] = [
    { name: 'tensorgate', url: `http://127.0.0.1:${gateway.port}`, pid: gateway.pid },
    { name: 'Pillow + grpcio', url: `http://127.0.0.1:${python.port}`, pid: python.pid },
  ];
  for (const { url } of subjects) {
    while (!(await load(url, body, 1, 1).catch(() => undefined))) await new Promise((done) => setTimeout(done, 50));
    await load(url, body, WARM_UP, 4);
  }
  console.log(
    `${availableParallelism()} cores, Node ${process.versions.node}; median of ${ROUNDS} rounds of ${REQUESTS} requests\n`,
  );
  console.log('| concurrency | server | requests/s | p50 ms | p99 ms | CPU-ms a request |\n|--|--|--|--|--|--|');
  for (const concurrency of CONCURRENCY) {
    const rounds = subjects.map((): Round[] => []);
    for (let index = 0; index < ROUNDS; index += 1) {
      for (const [which, subject] of subjects.entries()) rounds[which]?.push(await round(subject, body, concurrency));
    }
    const [ours, theirs] = rounds.map(summary);
    if (!ours || !theirs) throw new Error('no rounds');
    for (const [which, { perSecond, p50Ms, p99Ms, cpuMs }] of [ours, theirs].entries()) {
      const cells = [perSecond.toFixed(0), p50Ms.toFixed(1), p99Ms.toFixed(1), cpuMs.toFixed(2)];
      console.log(`| ${[concurrency, subjects[which]?.name, ...cells].join(' | ')} |`);
    }
    const ratios = [
      ours.perSecond / theirs.perSecond,
      ours.p50Ms / theirs.p50Ms,
      ours.p99Ms / theirs.p99Ms,
      ours.cpuMs / theirs.cpuMs,
    ];
    console.log(`| ${[concurrency, 'ratio', ...ratios.map((ratio) => ratio.toFixed(2))].join(' | ')} |`);
  }
} finally {
  stopAll();
  origin.close();
  origin.closeAllConnections();
  await rm(models, { recursive: true });
}
