/**
 * Measures how the cost grows with the images per request, the size of an image and the number of models. The gateway
 * runs in front of a null model server; the load generator and everything else share the machine's last core.
 *
 *   node bench/scale.ts
 */
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { startGateway } from './gateway.ts';
import { cpuMsOf, load, median, moveAside, start, stopAll, treeOf } from './load.ts';

const INSTANCES = [1, 2, 4, 8, 16, 32, 64];
const MEGAPIXELS = [0.1, 0.5, 2, 8, 24, 50];
const MODELS = [1, 10, 100];
/** Images per measured point. */
const IMAGES = 256;
const WARM_UP = 500;

const here = (file: string) => new URL(file, import.meta.url).pathname;
const aside = await moveAside();
const photo = await readFile(here('../tests/golden/images/jpg-420.jpg'));
const pictures = new Map<string, Buffer>([['/photo.jpg', photo]]);
for (const megapixels of MEGAPIXELS) {
  const width = Math.round(Math.sqrt((megapixels * 1e6 * 4) / 3));
  const height = Math.floor((megapixels * 1e6) / width);
  const picture = await sharp(photo).resize(width, height, { fit: 'fill' }).jpeg({ quality: 85 }).toBuffer();
  pictures.set(`/${megapixels}.jpg`, picture);
}
const origin = createServer(({ url = '' }, response) => response.end(pictures.get(url)));
await once(origin.listen(0, '127.0.0.1'), 'listening');
const { port: originPort } = origin.address() as AddressInfo;
const urlOf = (name: string) => `http://127.0.0.1:${originPort}/${name}.jpg`;
const backend = await start(process.execPath, [here('null-backend.ts')]);
const folder = await mkdtemp(path.join(tmpdir(), 'bench-'));

/** Starts a gateway with `count` models. Resolves when it is ready. */
async function startModels(count: number) {
  const models = path.join(folder, String(count));
  const names = ['clothing-model', ...Array.from({ length: count - 1 }, (_, index) => `model-${index}`)];
  const yaml = await readFile(here('model.yaml'), 'utf8');
  for (const name of names) {
    await mkdir(path.join(models, name), { recursive: true });
    await writeFile(path.join(models, name, 'model.yaml'), yaml.replace('clothing-model', name));
  }
  const settings = {
    MODELS: models,
    TF_SERVING_HOST: `127.0.0.1:${backend.port}`,
    FETCH_ALLOW_PRIVATE: 'true',
    MAX_INSTANCES: '64',
    MAX_IN_FLIGHT: '64',
  };
  const { port, pid } = await startGateway(settings, aside);
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${url}/health/ready`)).ok) await sleep(20);
  return { url, pid, names };
}

type Point = { readonly p50Ms: number; readonly cpuMs: number };

/** Sends requests one at a time. The figures are per request. */
async function measure(url: string, pid: number, body: string, requests: number, paths?: string[]): Promise<Point> {
  const before = await cpuMsOf(pid);
  const latencies = await load(url, [body], requests, 1, paths);
  return { p50Ms: median(latencies), cpuMs: ((await cpuMsOf(pid)) - before) / requests };
}

const row = (...cells: (string | number)[]) => console.log(`| ${cells.join(' | ')} |`);
const flat = JSON.stringify({ url: urlOf('photo') });

try {
  const one = await startModels(1);
  await load(one.url, [flat], WARM_UP, 8);
  console.log('| images per request | p50 ms | p50 ms per image | CPU-ms per image |\n|--|--|--|--|');
  for (const count of INSTANCES) {
    const body = JSON.stringify({ instances: Array.from({ length: count }, () => ({ url: urlOf('photo') })) });
    const { p50Ms, cpuMs } = await measure(one.url, one.pid, body, Math.max(4, IMAGES / count));
    row(count, p50Ms.toFixed(1), (p50Ms / count).toFixed(1), (cpuMs / count).toFixed(2));
  }
  console.log('\n| megapixels (JPEG) | p50 ms | CPU-ms | CPU-ms per megapixel |\n|--|--|--|--|');
  for (const megapixels of MEGAPIXELS) {
    const body = JSON.stringify({ url: urlOf(String(megapixels)) });
    const { p50Ms, cpuMs } = await measure(one.url, one.pid, body, megapixels < 1 ? IMAGES : 16);
    row(megapixels, p50Ms.toFixed(1), cpuMs.toFixed(1), (cpuMs / megapixels).toFixed(1));
  }
  console.log('\n| models | start to ready, s | resident MB | CPU-ms per request, models in turn |\n|--|--|--|--|');
  for (const count of MODELS) {
    const startedMs = performance.now();
    const { url, pid, names } = await startModels(count);
    const readyS = (performance.now() - startedMs) / 1000;
    const paths = names.map((name) => `/predict?model=${name}`);
    await load(url, [flat], WARM_UP, 8, paths);
    const { cpuMs } = await measure(url, pid, flat, IMAGES, paths);
    const rssMb = (await treeOf(pid)).reduce((sum, each) => sum + each.rssMb, 0);
    row(count, readyS.toFixed(1), rssMb.toFixed(0), cpuMs.toFixed(2));
  }
} finally {
  stopAll();
  origin.close();
  origin.closeAllConnections();
  await rm(folder, { recursive: true });
}
