/**
 * Measures batching in TensorFlow Serving: the full Xception with and without serving/batching.config. For each N it
 * reports the latency of one request with N images and of N concurrent requests with one image. Rounds alternate
 * between the two servers, to spread the effect of other load on the machine. Uses the TensorFlow server of
 * tests/tf-serving.
 */
import { cp, readFile, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { findPython, makeModels, startTensorFlowServing, type TensorFlowServing } from '../tests/tf-serving/server.ts';
import { startGateway } from './gateway.ts';
import { load, median, stopAll } from './load.ts';

const ROUNDS = 3;
const BATCHES = [1, 2, 4, 8, 16, 32];
const NAME = 'clothing-model';

const here = (file: string) => new URL(file, import.meta.url).pathname;
const photo = (await readFile(here('../tests/golden/images/jpg-420.jpg'))).toString('base64');
const bodyOf = (images: number) => JSON.stringify({ instances: Array(images).fill({ b64: photo }) });

/** The median time to the last answer in ms, without and with batching, and the ratio of the two. */
async function compare(urls: readonly string[], { images, requests }: { images: number; requests: number }) {
  const body = bodyOf(images);
  const times = urls.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [which, url] of urls.entries()) {
      times[which]?.push((await load(url, [body], requests, requests)).at(-1) ?? Number.NaN);
    }
  }
  const [off = Number.NaN, on = Number.NaN] = times.map(median);
  return [off.toFixed(0), on.toFixed(0), (on / off).toFixed(2)];
}

const found = await findPython();
if ('missing' in found) throw new Error(found.missing);
const models = await makeModels(found.program, NAME);
await cp(here('model.yaml'), path.join(models, NAME, 'model.yaml'));
// As in serving/start-server.sh: by default the server rejects all but a few concurrent calls.
const THREADS = '--grpc_max_threads=256';
const batching = ['--enable_batching=true', `--batching_parameters_file=${here('../serving/batching.config')}`];
const servers: TensorFlowServing[] = [];

try {
  const gateways: string[] = [];
  for (const flags of [[], batching]) {
    const server = await startTensorFlowServing(found.program, models, { names: [NAME], flags: [THREADS, ...flags] });
    servers.push(server);
    const { port } = await startGateway({ MODELS: models, REQUEST_TIMEOUT: '2m', TF_SERVING_HOST: server.target });
    gateways.push(`http://127.0.0.1:${port}`);
  }
  for (const url of gateways) {
    while (!(await load(url, [bodyOf(1)], 3, 1).catch(() => undefined)))
      await new Promise((done) => setTimeout(done, 50));
  }
  console.log(`${availableParallelism()} cores; median of ${ROUNDS} rounds, ms from request to answer\n`);
  console.log(
    '| N | one request of N images: off | on | ratio | N requests at once: off | on | ratio |\n|--|--|--|--|--|--|--|',
  );
  for (const size of BATCHES) {
    const together = await compare(gateways, { images: size, requests: 1 });
    const apart = await compare(gateways, { images: 1, requests: size });
    console.log(`| ${[size, ...together, ...apart].join(' | ')} |`);
  }
} finally {
  stopAll();
  for (const server of servers) await server.stop();
  await rm(models, { recursive: true });
}
