/**
 * Compares the embedded model server, called over gRPC with one image per request, with ONNX Runtime's Python package
 * on the same model in one process without a server. Reports images per second by number of concurrent callers. Rounds
 * alternate.
 *
 *   node bench/embedded.ts PYTHON
 */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { startEmbedded } from '../gateway/backend/embedded.ts';
import { openClient } from '../gateway/backend/grpc/channel.ts';
import { createTfServing } from '../gateway/backend/tf-serving/backend.ts';
import type { PredictTarget } from '../gateway/domain/backend.ts';
import type { RequestContext } from '../gateway/domain/request.ts';
import { usableCores } from '../gateway/machine/cores.ts';
import { median } from './load.ts';

const ROUNDS = 3;
const IMAGES = 192;
const CONCURRENCY = [1, 8, 32];

const here = (file: string) => new URL(file, import.meta.url).pathname;
const basePath = here('../serving/models/clothing-model');
const versions = (await readdir(basePath)).map(Number).filter(Number.isInteger);
const model = path.join(basePath, String(Math.max(...versions)), 'model.onnx');
const log = { debug() {}, info() {}, warn: console.error, error: console.error };
const cores = usableCores();
const embedded = startEmbedded({ models: [{ name: 'clothing-model', basePath }], cores, log });
await embedded.ready;
const backend = createTfServing({ client: openClient(embedded.target), maxOutputBytes: 2 ** 20, onStatus() {} });
const target: PredictTarget = {
  servable: { model: 'clothing-model' },
  signature: 'serving_default',
  input: { name: 'image', dtype: 'DT_FLOAT', shape: [299, 299, 3] },
  answer: { outputs: ['scores'], wantedElements: 10, elements: 10 },
};

async function ask(): Promise<void> {
  const call = backend.prepare(target, 1);
  const deadlineMs = performance.now() + 60_000;
  await call.send(1, { deadlineMs, signal: new AbortController().signal } as RequestContext);
  call.release();
}

async function perSecond(callers: number): Promise<number> {
  const startedMs = performance.now();
  const caller = async () => {
    for (let image = 0; image < IMAGES / callers; image += 1) await ask();
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return (IMAGES / (performance.now() - startedMs)) * 1000;
}

async function inPython(): Promise<number[]> {
  const args = [here('reference/onnx.py'), model, target.input.name, cores, IMAGES, ...CONCURRENCY].map(String);
  const { stdout } = await promisify(execFile)(process.argv[2] ?? 'python3', args);
  return JSON.parse(stdout) as number[];
}

try {
  for (let image = 0; image < 50; image += 1) await ask();
  const rounds: { readonly ours: number[]; readonly theirs: number[] }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const ours: number[] = [];
    for (const callers of CONCURRENCY) ours.push(await perSecond(callers));
    rounds.push({ ours, theirs: await inPython() });
  }
  console.log(`${cores} cores for the model; images per second, median of ${ROUNDS} rounds\n`);
  console.log('| callers | embedded server | onnxruntime in Python | ratio |\n|--|--|--|--|');
  for (const [index, callers] of CONCURRENCY.entries()) {
    const of = (side: 'ours' | 'theirs') => median(rounds.map((round) => round[side][index] ?? Number.NaN));
    const [ours, theirs] = [of('ours'), of('theirs')];
    console.log(`| ${[callers, ours.toFixed(0), theirs.toFixed(0), (ours / theirs).toFixed(2)].join(' | ')} |`);
  }
} finally {
  backend.close();
  await embedded.close();
}
