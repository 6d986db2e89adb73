/**
 * Joining: requests/s and latency of requests of one image, with JOIN_WINDOW and without, by how many there are at once.
 * With the small model in the embedded server, with a model server that takes 100 ms for a Predict of any size, as an
 * accelerator does, and with the full Xception on TensorFlow where there is one (see tests/tf-serving/server.ts). Rounds alternate, so that a busy machine is busy for both.
 *
 *   node bench/joining.ts [--window 20ms] [--rounds 3]
 */
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findPython, makeModels, startTensorFlowServing, type TensorFlowServing } from '../tests/tf-serving/server.ts';
import { startGateway } from './gateway.ts';
import { load, median, start, stopAll } from './load.ts';

const { values } = parseArgs({
  options: { window: { type: 'string', default: '20ms' }, rounds: { type: 'string', default: '3' } },
});
const CONCURRENCY = [1, 8, 32];
const PREDICT_MS = 100;
const NAME = 'clothing-model';

const here = (file: string) => new URL(file, import.meta.url).pathname;
const photo = (await readFile(here('../tests/golden/images/jpg-420.jpg'))).toString('base64');
const body = JSON.stringify({ b64: photo });

/** Starts a gateway without joining and one with it; resolves to their URLs when both answer. */
async function startBoth(settings: Record<string, string>): Promise<string[]> {
  const urls: string[] = [];
  for (const window of ['', values.window]) {
    const { port } = await startGateway({ REQUEST_TIMEOUT: '2m', ...settings, JOIN_WINDOW: window });
    const url = `http://127.0.0.1:${port}`;
    while (!(await load(url, [body], 3, 1).catch(() => undefined))) await sleep(50);
    urls.push(url);
  }
  return urls;
}

type Round = { readonly perSecond: number; readonly p50Ms: number; readonly p99Ms: number };

async function round(url: string, requests: number, concurrency: number): Promise<Round> {
  const startedMs = performance.now();
  const latencies = await load(url, [body], requests, concurrency);
  const perSecond = (requests * 1000) / (performance.now() - startedMs);
  const at = (share: number) => latencies[Math.floor(share * (latencies.length - 1))] ?? Number.NaN;
  return { perSecond, p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** Prints a row for each concurrency. `requestsOf` says how many requests a round of it has. */
async function compare(model: string, urls: readonly string[], requestsOf: (concurrency: number) => number) {
  for (const url of urls) await load(url, [body], requestsOf(8), 8);
  for (const concurrency of CONCURRENCY) {
    const rounds = urls.map((): Round[] => []);
    for (let left = Number(values.rounds); left > 0; left -= 1) {
      for (const [which, url] of urls.entries()) {
        rounds[which]?.push(await round(url, requestsOf(concurrency), concurrency));
      }
    }
    const cells = rounds.flatMap((each) => [
      median(each.map(({ perSecond }) => perSecond)).toFixed(1),
      median(each.map(({ p50Ms }) => p50Ms)).toFixed(0),
      median(each.map(({ p99Ms }) => p99Ms)).toFixed(0),
    ]);
    const ratio = Number(cells[3]) / Number(cells[0]);
    console.log(`| ${[model, concurrency, ...cells, ratio.toFixed(2)].join(' | ')} |`);
  }
}

const folders: string[] = [];
const servers: TensorFlowServing[] = [];

async function compareXception(python: string): Promise<void> {
  const models = await makeModels(python, NAME);
  folders.push(models);
  await cp(here('model.yaml'), path.join(models, NAME, 'model.yaml'));
  // As serving/start-server.sh has it: by default the server turns away what is more than a few calls at once.
  const flags = ['--grpc_max_threads=256'];
  const server = await startTensorFlowServing(python, models, { names: [NAME], flags });
  servers.push(server);
  const urls = await startBoth({ TF_SERVING_HOST: server.target, MODELS: models });
  await compare('Xception, TensorFlow', urls, (concurrency) => 16 + concurrency);
}

console.log(`${availableParallelism()} cores; median of ${values.rounds} rounds; joining with ${values.window}\n`);
console.log('| model | at once | off: requests/s | p50 ms | p99 ms | on: requests/s | p50 ms | p99 ms | on/off |');
console.log('|--|--|--|--|--|--|--|--|--|');
try {
  await compare('small, embedded', await startBoth({}), (concurrency) => 50 + 5 * concurrency);

  const plain = await mkdtemp(path.join(tmpdir(), 'bench-'));
  folders.push(plain);
  await cp(here('model.yaml'), path.join(plain, NAME, 'model.yaml'));
  const fixed = await start(process.execPath, [here('null-backend.ts')], { PREDICT_MS: String(PREDICT_MS) });
  const settings = { TF_SERVING_HOST: `127.0.0.1:${fixed.port}`, MODELS: plain };
  await compare(`${PREDICT_MS} ms a Predict`, await startBoth(settings), (concurrency) => 30 + 5 * concurrency);

  const found = await findPython();
  if ('missing' in found) console.error(`\nwithout the Xception: ${found.missing}`);
  else await compareXception(found.program);
} finally {
  stopAll();
  for (const server of servers) await server.stop();
  for (const folder of folders) await rm(folder, { recursive: true });
}
