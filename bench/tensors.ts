/**
 * Measures tensors as JSON: requests of a million float32 and of 19 MB, answered with as many, beside small requests. The
 * gateway is in front of a server on TensorFlow (tests/tf-serving), and is compared with that server's own REST API.
 *
 *   TENSORGATE_TF_PYTHON=python node bench/tensors.ts [--requests 20]
 */
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findPython, freePort, makeModels, startTensorFlowServing } from '../tests/tf-serving/server.ts';
import { startGateway } from './gateway.ts';
import { cpuMsOf, load, loopP99Ms, median, stopAll } from './load.ts';

const { values } = parseArgs({ options: { requests: { type: 'string' } } });
const REQUESTS = Number(values.requests ?? 20);
const ROUNDS = 3;
const PATH = ['/v1/models/dtypes:predict'];

const numbers = Array.from({ length: 1e6 }, (_, index) => Math.fround(Math.sin(index)));
const bodyOf = (list: readonly number[]) => JSON.stringify({ signature_name: 'echo_float32', inputs: list });
const large = bodyOf(numbers);
const small = bodyOf(numbers.slice(0, 10));

type Subject = {
  readonly name: string;
  readonly url: string;
  /** The processes whose CPU time counts. */
  readonly pids: readonly number[];
  readonly adminPort: number;
};

type Round = {
  readonly perSecond: number;
  readonly cpuMs: number;
  readonly smallP99Ms: number;
  readonly loopMs: number;
};

/** Sends large requests one after the other, and small ones beside them until the large ones are answered. */
async function round({ url, pids, adminPort }: Subject): Promise<Round> {
  const cpu = async () => (await Promise.all(pids.map(cpuMsOf))).reduce((sum, ms) => sum + ms, 0);
  await loopP99Ms(adminPort);
  const cpuBeforeMs = await cpu();
  const startedMs = performance.now();
  const done = load(url, [large], REQUESTS, 1, PATH).finally(() => {
    isOver = true;
  });
  let isOver = false;
  const latencies: number[] = [];
  while (!isOver) {
    latencies.push(...(await load(url, [small], 1, 1, PATH)));
    await sleep(5);
  }
  await done;
  const tookMs = performance.now() - startedMs;
  latencies.sort((one, other) => one - other);
  return {
    perSecond: (REQUESTS * 1000) / tookMs,
    cpuMs: ((await cpu()) - cpuBeforeMs) / REQUESTS,
    smallP99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
    loopMs: await loopP99Ms(adminPort),
  };
}

const found = await findPython();
if ('missing' in found) throw new Error(found.missing);
const models = await makeModels(found.program, 'dtypes');
const restPort = await freePort();
const names = ['dtypes'];
const server = await startTensorFlowServing(found.program, models, { names, flags: [`--rest_api_port=${restPort}`] });
try {
  const MAX_OUTPUT_BYTES = '64MB';
  const settings = { MODELS: models, MAX_OUTPUT_BYTES, TF_SERVING_HOST: server.target };
  const gateway = await startGateway(settings);
  const url = `http://127.0.0.1:${gateway.port}`;
  const subjects: Subject[] = [
    { name: 'tensorgate and server', url, pids: [gateway.pid, server.pid], adminPort: gateway.adminPort },
    { name: "the server's REST", url: `http://127.0.0.1:${restPort}`, pids: [server.pid], adminPort: 0 },
  ];
  for (const subject of subjects)
    while (!(await load(subject.url, [large], 1, 1, PATH).catch(() => 0))) await sleep(50);
  const rounds = subjects.map((): Round[] => []);
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    for (const [index, subject] of subjects.entries()) rounds[index]?.push(await round(subject));
  }
  const columns = ['perSecond', 'cpuMs', 'smallP99Ms', 'loopMs'] as const;
  console.log(
    `${availableParallelism()} cores; ${(large.length / 1e6).toFixed(0)} MB of JSON each; medians of ${ROUNDS} rounds`,
  );
  console.log(
    '| what | large requests/s | CPU-ms for each | p99 ms of small ones beside | event loop p99 ms |\n|--|--|--|--|--|',
  );
  for (const [index, { name }] of subjects.entries()) {
    const figures = columns.map((column) => median((rounds[index] ?? []).map((one) => one[column])).toFixed(1));
    console.log(`| ${name} | ${figures.join(' | ')} |`);
  }
  const [own, gatewayAlone] = await Promise.all([cpuMsOf(server.pid), cpuMsOf(gateway.pid)]);
  console.log(`CPU-ms in all: gateway ${gatewayAlone.toFixed(0)}, server ${own.toFixed(0)}`);
} finally {
  stopAll();
  await server.stop();
  await rm(models, { recursive: true });
}
