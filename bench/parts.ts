/**
 * Measures each stage of a request alone, in CPU-ms of this process and its decoder. Prints a table, or with --json one
 * line for bench/compare.ts.
 *
 *   node bench/parts.ts [--json]
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openClient } from '../gateway/backend/grpc/channel.ts';
import { createTfServing } from '../gateway/backend/tf-serving/backend.ts';
import { readConfig } from '../gateway/config/read.ts';
import type { PredictTarget } from '../gateway/domain/backend.ts';
import type { FreeRows } from '../gateway/domain/picture.ts';
import { testContext } from '../gateway/domain/test-context.ts';
import { createFetch } from '../gateway/fetch/http.ts';
import { openPictures } from '../gateway/image/pictures.ts';
import { testSpec } from '../gateway/image/test-spec.ts';
import { createPool } from '../gateway/tensor/pool.ts';
import { cpuMsOf, median, start, stopAll } from './load.ts';

const ROUNDS = 7;
const CALLS = 200;

const here = (file: string) => new URL(file, import.meta.url).pathname;
const photo = await readFile(here('../tests/golden/images/jpg-420.jpg'));
const spec = testSpec({ scale: 'tf' });
const log = { debug() {}, info() {}, warn: console.error, error: console.error };
const context = () => testContext({ log });

const origin = createServer((_request, response) => response.end(photo));
await once(origin.listen(0, '127.0.0.1'), 'listening');
const { port } = origin.address() as AddressInfo;
const config = readConfig({}, {});
const fetch = createFetch({
  allow: ['127.0.0.1'],
  deny: [],
  allowPrivate: false,
  ports: [port],
  maxBytes: config.maxImageBytes,
  maxRedirects: 3,
  timeoutMs: 5000,
  connectTimeoutMs: 2000,
  maxSockets: 16,
  userAgent: 'bench',
});
const pictures = openPictures({
  formats: config.imageFormats,
  maxPixels: config.maxImagePixels,
  maxBytes: config.maxImageBytes,
  count: 1,
  pixelsAtOnce: config.maxImagePixels,
  timeoutMs: config.decodeTimeoutMs,
  memory: createPool(2 ** 22),
  log,
  onLoss: console.error,
});
const backend = createTfServing({
  client: openClient(`127.0.0.1:${(await start(process.execPath, [here('null-backend.ts')])).port}`),
  onStatus() {},
  maxOutputBytes: config.maxOutputBytes,
});
const row = new Float32Array(299 * 299 * 3);
const rows: FreeRows = { type: 'DT_FLOAT', fill: (write) => void write(row) };

function predict(dtype: 'DT_FLOAT' | 'DT_UINT8') {
  const input = { name: 'input_8', dtype, shape: [299, 299, 3] };
  const servable = { model: 'clothing-model' };
  const answer = { outputs: ['dense_7'], wantedElements: 10, elements: 10 };
  const target: PredictTarget = { servable, signature: 'serving_default', input, answer };
  return async () => {
    const call = backend.prepare(target, 1);
    await call.send(1, context());
    call.release();
  };
}

/** The origin runs in this process, so its CPU time is part of the fetch. */
const PARTS: Readonly<Record<string, () => unknown>> = {
  'fetch 63 kB from loopback': () => fetch(`http://127.0.0.1:${port}/photo.jpg`, 'url', context()),
  'decode, resize (nearest) and scale': () => pictures.fillRow({ bytes: photo, spec, field: 'image' }, rows, context()),
  'Predict, float32': predict('DT_FLOAT'),
  'Predict, uint8': predict('DT_UINT8'),
};

async function cpuOf(part: () => unknown): Promise<number> {
  const ownBefore = process.cpuUsage();
  const decodersBeforeMs = await decodersMs();
  for (let call = 0; call < CALLS; call += 1) await part();
  const { user, system } = process.cpuUsage(ownBefore);
  return ((user + system) / 1000 + (await decodersMs()) - decodersBeforeMs) / CALLS;
}

async function decodersMs(): Promise<number> {
  return (await Promise.all(pictures.pids.map(cpuMsOf))).reduce((sum, ms) => sum + ms, 0);
}

try {
  const figures = new Map(Object.keys(PARTS).map((name): [string, number[]] => [name, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, part] of Object.entries(PARTS)) {
      const cpuMs = await cpuOf(part);
      // The first round is the warm-up.
      if (round > 0) figures.get(name)?.push(cpuMs);
    }
  }
  const medians = Object.fromEntries([...figures].map(([name, all]) => [name, median(all)]));
  if (process.argv.includes('--json')) console.log(JSON.stringify(medians));
  else {
    console.log('| part | CPU-ms |\n|--|--|');
    for (const [name, cpuMs] of Object.entries(medians)) console.log(`| ${name} | ${cpuMs.toFixed(2)} |`);
  }
} finally {
  pictures.close();
  backend.close();
  fetch.close();
  stopAll();
  origin.close();
  origin.closeAllConnections();
}
