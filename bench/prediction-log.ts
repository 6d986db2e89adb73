/**
 * What the prediction log costs: the CPU time of a gateway without it and of one that writes to a folder, in turns, with the same
 * requests. CPU time, not throughput: it holds on a machine that does other work too.
 *
 *   node bench/prediction-log.ts
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CARD, modelsFolder } from '../tests/models.ts';
import { startGateway } from './gateway.ts';
import { cpuMsOf, load, median, stopAll } from './load.ts';
import { PICTURE, RECORD, startModels } from './models.ts';

const ROUNDS = 7;
const CONCURRENCY = 8;
const EMBEDDING = Array.from({ length: 1000 }, (_, index) => index / 7);

const cleanUp = new AsyncDisposableStack();
const own = { after: (end: () => unknown) => void cleanUp.defer(async () => void (await end())) };

const model = await startModels();
own.after(() => model.close());

const settings = {
  TF_SERVING_HOST: model.target,
  MODELS: await modelsFolder(own as never, {
    'clothing-model': CARD,
    churn: 'name: churn\n',
    embedding: 'name: embedding\n',
  }),
};
const folder = await mkdtemp(path.join(tmpdir(), 'bench-prediction-log-'));
own.after(() => rm(folder, { recursive: true }));
const off = await startGateway(settings);
const on = await startGateway({ ...settings, PREDICTION_LOG: folder });
cleanUp.defer(stopAll);

const CASES = [
  { name: 'a record', lines: 1, requests: 1000, path: '/predict?model=churn', body: JSON.stringify(RECORD) },
  {
    name: 'a tensor of 1000 floats',
    lines: 1,
    requests: 1000,
    path: '/v2/models/embedding/infer',
    body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1000], data: EMBEDDING }] }),
  },
  {
    name: '64 records in a request',
    lines: 64,
    requests: 100,
    path: '/predict?model=churn',
    body: JSON.stringify({ instances: Array.from({ length: 64 }, () => RECORD) }),
  },
  {
    name: 'a JPEG of 400x533',
    lines: 1,
    requests: 100,
    path: '/predict?model=clothing-model',
    body: PICTURE,
    type: 'image/jpeg',
  },
];
type Case = (typeof CASES)[number];

/** CPU microseconds of the gateway for one line, or one prediction without the log. */
async function measure(
  { port, pid }: typeof on,
  { body, path: route, requests, lines, type = 'application/json' }: Case,
) {
  const before = await cpuMsOf(pid);
  await load(`http://127.0.0.1:${port}`, [body], requests, CONCURRENCY, [route], { 'Content-Type': type });
  return (1000 * ((await cpuMsOf(pid)) - before)) / (requests * lines);
}

console.log('| predictions | CPU-us each, without | with the log | a line | cost |\n|--|--|--|--|--|');
for (const one of CASES) {
  await measure(off, one);
  await measure(on, one);
  const rounds: { readonly off: number; readonly on: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1)
    rounds.push({ off: await measure(off, one), on: await measure(on, one) });
  const [without, withLog] = [median(rounds.map((round) => round.off)), median(rounds.map((round) => round.on))];
  const line = median(rounds.map((round) => round.on - round.off));
  const cost = `${((100 * line) / without).toFixed(1)} %`;
  console.log(`| ${one.name} | ${without.toFixed(0)} | ${withLog.toFixed(0)} | ${line.toFixed(0)} | ${cost} |`);
}
const metrics = await (await fetch(`http://127.0.0.1:${on.adminPort}/metrics`)).text();
console.log(metrics.match(/^tensorgate_prediction_log_lines_total\{.*/gm)?.join('\n'));
await cleanUp.disposeAsync();
