/**
 * Compares the embedded model server, called over gRPC with one image per request, with ONNX Runtime's Python package
 * on the same model with the same settings of threads in one process without a server. The two take turns of a second or
 * so; the figures are medians of all turns. On a machine with other load only the ratio of CPU time is reliable.
 *
 *   node bench/embedded.ts PYTHON [ROUNDS]
 */
import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { startEmbedded } from '../gateway/backend/embedded.ts';
import { openClient } from '../gateway/backend/grpc/channel.ts';
import { createTfServing } from '../gateway/backend/tf-serving/backend.ts';
import type { PredictTarget } from '../gateway/domain/backend.ts';
import type { RequestContext } from '../gateway/domain/request.ts';
import { usableCores } from '../gateway/machine/cores.ts';
import { cpuMsOf, median } from './load.ts';

const [python = 'python3', rounds = '9'] = process.argv.slice(2);
const IMAGES = 96;
const CALLERS = [1, 8, 32];
const SIGNATURES = [
  { signature: 'serving_uint8', dtype: 'DT_UINT8', file: 'serving_uint8.onnx' },
  { signature: 'serving_default', dtype: 'DT_FLOAT', file: 'model.onnx' },
] as const;

const here = (file: string) => new URL(file, import.meta.url).pathname;
const basePath = here('../serving/models/clothing-model');
const versions = (await readdir(basePath)).map(Number).filter(Number.isInteger);
const version = path.join(basePath, String(Math.max(...versions)));
const log = { debug() {}, info() {}, warn: console.error, error: console.error };
const cores = usableCores();
const embedded = startEmbedded({ models: [{ name: 'clothing-model', basePath }], cores, log });
await embedded.ready;
const backend = createTfServing({ client: openClient(embedded.target), maxOutputBytes: 2 ** 20, onStatus() {} });
const reference = spawn(python, [here('reference/onnx.py'), String(cores)], { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface(reference.stdout)[Symbol.asyncIterator]();

async function ask(target: PredictTarget): Promise<void> {
  const call = backend.prepare(target, 1);
  const deadlineMs = performance.now() + 60_000;
  await call.send(1, { deadlineMs, signal: new AbortController().signal } as RequestContext);
  call.release();
}

/** Images per second, and CPU milliseconds of each in all processes that this one has started, and in itself. */
type Turn = { readonly perSecond: number; readonly cpuMs: number };

async function measure(work: () => Promise<unknown>): Promise<Turn> {
  const [startedMs, usedMs] = [performance.now(), await cpuMsOf(process.pid)];
  await work();
  const perSecond = (IMAGES / (performance.now() - startedMs)) * 1000;
  return { perSecond, cpuMs: ((await cpuMsOf(process.pid)) - usedMs) / IMAGES };
}

async function askAll(target: PredictTarget, callers: number): Promise<void> {
  const caller = async () => {
    for (let image = 0; image < IMAGES / callers; image += 1) await ask(target);
  };
  await Promise.all(Array.from({ length: callers }, caller));
}

async function askPython(file: string, callers: number): Promise<void> {
  reference.stdin.write(`${path.join(version, file)} ${callers} ${IMAGES}\n`);
  await answers.next();
}

/** A row of the table: the medians of all rounds. */
async function compare({ signature, dtype, file }: (typeof SIGNATURES)[number], callers: number): Promise<string> {
  const target: PredictTarget = {
    servable: { model: 'clothing-model' },
    signature,
    input: { name: 'image', dtype, shape: [299, 299, 3] },
    answer: { outputs: ['scores'], wantedElements: 10, elements: 10 },
  };
  const ours = () => askAll(target, callers);
  const theirs = () => askPython(file, callers);
  await ours();
  await theirs();
  const turns: { readonly ours: Turn; readonly theirs: Turn }[] = [];
  for (let round = 0; round < Number(rounds); round += 1) {
    turns.push({ ours: await measure(ours), theirs: await measure(theirs) });
  }
  const of = (value: (turn: (typeof turns)[number]) => number, digits: number) =>
    median(turns.map(value)).toFixed(digits);
  return [
    dtype,
    callers,
    of((turn) => turn.ours.perSecond, 0),
    of((turn) => turn.theirs.perSecond, 0),
    of((turn) => turn.ours.perSecond / turn.theirs.perSecond, 2),
    of((turn) => turn.ours.cpuMs, 1),
    of((turn) => turn.theirs.cpuMs, 1),
    of((turn) => turn.theirs.cpuMs / turn.ours.cpuMs, 2),
  ].join(' | ');
}

try {
  console.log(`${cores} cores for the model; medians of ${rounds} rounds; CPU of the server with its client\n`);
  console.log(
    '| input | callers | embedded server: images/s | onnxruntime in Python | ratio | CPU-ms | in Python | ratio |',
  );
  console.log('|--|--|--|--|--|--|--|--|');
  for (const one of SIGNATURES) for (const callers of CALLERS) console.log(`| ${await compare(one, callers)} |`);
} finally {
  reference.kill();
  backend.close();
  await embedded.close();
}
