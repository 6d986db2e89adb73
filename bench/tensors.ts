/**
 * Measures tensors: requests of a million float32 as JSON, and of 20 MB of binary data, answered with as many, beside small
 * requests; then small requests alone. The gateway and a FastAPI reference are in front of a model server on TensorFlow (tests/tf-serving), and are compared
 * with that server's own REST API. Rounds alternate.
 *
 *   TENSORGATE_TF_PYTHON=python node bench/tensors.ts PYTHON [--large 5] [--small 1000]
 */
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findPython, freePort, makeModels, startTensorFlowServing } from '../tests/tf-serving/server.ts';
import { startGateway } from './gateway.ts';
import { cpuMsOf, load, loopP99Ms, median, start, stopAll } from './load.ts';
import { BINARY, type Form, OPEN_INFERENCE, TF_SERVING } from './tensor-forms.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { large: { type: 'string' }, small: { type: 'string' } },
});
const LARGE = Number(values.large ?? 5);
const SMALL = Number(values.small ?? 1000);
const ROUNDS = 3;
const CONCURRENCY = 4;

type Subject = {
  readonly name: string;
  readonly form: Form;
  readonly url: string;
  /** What is in front of the model server; its REST API has nothing in front. */
  readonly pid: number | undefined;
  /** 0 for a program without metrics. */
  readonly adminPort: number;
};

type Round = {
  readonly perSecond: number;
  /** CPU time of a request: in front of the model server, and in it. */
  readonly frontMs: number;
  readonly serverMs: number;
  /** Of small requests. */
  readonly p99Ms: number;
  /** The 99th percentile of the event loop delay. NaN for a program without metrics. */
  readonly loopMs: number;
};

const p99 = (latencies: readonly number[]) => latencies[Math.floor(0.99 * (latencies.length - 1))] ?? Number.NaN;

/** Measures `send`, which resolves to the latencies of the small requests, in ascending order. */
async function measured(
  { pid, adminPort }: Subject,
  serverPid: number,
  requests: number,
  send: () => Promise<readonly number[]>,
): Promise<Round> {
  const cpu = async () => [pid ? await cpuMsOf(pid) : 0, await cpuMsOf(serverPid)] as const;
  await loopP99Ms(adminPort);
  const before = await cpu();
  const startedMs = performance.now();
  const latencies = await send();
  const tookMs = performance.now() - startedMs;
  const [front, server] = await cpu();
  return {
    perSecond: (requests * 1000) / tookMs,
    frontMs: (front - before[0]) / requests,
    serverMs: (server - before[1]) / requests,
    p99Ms: p99(latencies),
    loopMs: await loopP99Ms(adminPort),
  };
}

const send = ({ url, form: { path } }: Subject, { body, headers }: Form['large'], count = 1, concurrency = 1) =>
  load(url, [body], count, concurrency, [path], headers);

/** Sends large requests one after the other, and small ones beside them until the large ones are answered. */
async function sendLarge(subject: Subject): Promise<readonly number[]> {
  let isOver = false;
  const done = send(subject, subject.form.large, LARGE).finally(() => {
    isOver = true;
  });
  const latencies: number[] = [];
  while (!isOver) {
    latencies.push(...(await send(subject, subject.form.small)));
    await sleep(5);
  }
  await done;
  return latencies.sort((one, other) => one - other);
}

const sendSmall = (subject: Subject) => send(subject, subject.form.small, SMALL, CONCURRENCY);

/** Prints a table. The last column is the ratio of the requests in a second to the reference's. */
function print(what: string, p99Name: string, subjects: readonly Subject[], rounds: readonly Round[][]): void {
  console.log(
    `| ${what} | requests/s | CPU-ms in front of the server | in the server | ${p99Name} | event loop p99 ms | requests/s beside FastAPI + numpy |`,
  );
  console.log('|--|--|--|--|--|--|--|');
  const rows = rounds.map((all) => (key: keyof Round) => median(all.map((one) => one[key])));
  const reference = rows[subjects.findIndex(({ name }) => name.startsWith('FastAPI'))]?.('perSecond') ?? Number.NaN;
  for (const [index, of] of rows.entries()) {
    const digits = of('perSecond') < 100 ? 2 : 0;
    const cells = [of('perSecond').toFixed(digits), of('frontMs').toFixed(2), of('serverMs').toFixed(2)];
    cells.push(of('p99Ms').toFixed(1), Number.isNaN(of('loopMs')) ? '' : of('loopMs').toFixed(1));
    console.log(`| ${[subjects[index]?.name, ...cells, (of('perSecond') / reference).toFixed(2)].join(' | ')} |`);
  }
}

const found = await findPython();
if ('missing' in found) throw new Error(found.missing);
const models = await makeModels(found.program, 'dtypes');
const restPort = await freePort();
const flags = [`--rest_api_port=${restPort}`];
const server = await startTensorFlowServing(found.program, models, { names: ['dtypes'], flags });
try {
  const env = { TF_SERVING_HOST: server.target };
  const gateway = await startGateway({ ...env, MODELS: models, MAX_OUTPUT_BYTES: '64MB' });
  const program = new URL('reference/tensors_gateway.py', import.meta.url).pathname;
  const reference = await start(positionals[0] ?? 'python3', [program], env);
  const urlOf = (port: number) => `http://127.0.0.1:${port}`;
  const ofGateway = { url: urlOf(gateway.port), pid: gateway.pid, adminPort: gateway.adminPort };
  const subjects: Subject[] = [
    { ...ofGateway, name: 'tensorgate', form: TF_SERVING },
    { ...ofGateway, name: 'tensorgate, /v2', form: OPEN_INFERENCE },
    { ...ofGateway, name: 'tensorgate, /v2, five million as binary data', form: BINARY },
    { name: 'FastAPI + numpy', form: TF_SERVING, url: urlOf(reference.port), pid: reference.pid, adminPort: 0 },
    { name: "the server's REST", form: TF_SERVING, url: urlOf(restPort), pid: undefined, adminPort: 0 },
  ];
  for (const subject of subjects) {
    while (!(await send(subject, subject.form.large, 2).catch(() => 0))) await sleep(50);
    await sendSmall(subject);
  }
  const of = async (requests: number, sendAll: (subject: Subject) => Promise<readonly number[]>) => {
    const rounds = subjects.map((): Round[] => []);
    for (let turn = 0; turn < ROUNDS; turn += 1) {
      for (const [index, subject] of subjects.entries()) {
        rounds[index]?.push(await measured(subject, server.pid, requests, () => sendAll(subject)));
      }
    }
    return rounds;
  };
  console.log(`${availableParallelism()} cores; medians of ${ROUNDS} rounds that alternate\n`);
  const megabytes = (TF_SERVING.large.body.length / 1e6).toFixed(0);
  print(`a million numbers, ${megabytes} MB`, 'p99 ms of small ones beside', subjects, await of(LARGE, sendLarge));
  console.log();
  print(`ten numbers, ${CONCURRENCY} at a time`, 'p99 ms', subjects, await of(SMALL, sendSmall));
} finally {
  stopAll();
  await server.stop();
  await rm(models, { recursive: true });
}
