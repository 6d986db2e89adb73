/**
 * What traces cost: the CPU time of a gateway that records none, of one that records a tenth of them and of one that records all, in turns,
 * with the same requests. Spans go to a collector in this process.
 *
 *   node bench/traces.ts
 */
import { CARD, modelsFolder } from '../tests/models.ts';
import { startCollector } from '../tests/otlp/collector.ts';
import { startGateway } from './gateway.ts';
import { cpuMsOf, load, median, stopAll } from './load.ts';
import { PICTURE, RECORD, startModels } from './models.ts';

const ROUNDS = 9;
const CONCURRENCY = 8;

const cleanUp = new AsyncDisposableStack();
const own = { after: (end: () => unknown) => void cleanUp.defer(async () => void (await end())) };

const model = await startModels();
own.after(() => model.close());
const collector = await startCollector();
own.after(() => collector.close());

const settings = {
  TF_SERVING_HOST: model.target,
  MODELS: await modelsFolder(own as never, { 'clothing-model': CARD, churn: 'name: churn\n' }),
};
const recording = (share: string) => ({
  ...settings,
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
  OTEL_TRACES_SAMPLER_ARG: share,
});
const off = await startGateway(settings);
const tenth = await startGateway(recording('0.1'));
const all = await startGateway(recording('1'));
cleanUp.defer(stopAll);

const CASES = [
  { name: 'a record', requests: 500, query: 'churn', body: JSON.stringify(RECORD), type: 'application/json' },
  { name: 'a JPEG of 400x533', requests: 100, query: 'clothing-model', body: PICTURE, type: 'image/jpeg' },
];
type Case = (typeof CASES)[number];

/** CPU microseconds of the gateway for one request. */
async function measure({ port, pid }: typeof off, { body, query, requests, type }: Case): Promise<number> {
  const before = await cpuMsOf(pid);
  const paths = [`/predict?model=${query}`];
  await load(`http://127.0.0.1:${port}`, [body], requests, CONCURRENCY, paths, { 'Content-Type': type });
  return (1000 * ((await cpuMsOf(pid)) - before)) / requests;
}

const gateways = { none: off, tenth, all };
const ORDER = ['none', 'tenth', 'all'] as const;
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
console.log('| request | CPU-us without traces | a tenth recorded | all recorded |\n|--|--|--|--|');
for (const one of CASES) {
  for (const gateway of [off, tenth, all]) await measure(gateway, one);
  const rounds: { readonly none: number; readonly tenth: number; readonly all: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const measured = { none: 0, tenth: 0, all: 0 };
    // The order changes, so that each gateway is first in the same number of rounds.
    const turns = ORDER.map((_, index) => ORDER[(round + index) % ORDER.length] ?? 'none');
    for (const turn of turns) measured[turn] = await measure(gateways[turn], one);
    rounds.push(measured);
  }
  const none = median(rounds.map((round) => round.none));
  const cost = (key: 'tenth' | 'all') => {
    const more = median(rounds.map((round) => round[key] - round.none));
    return `+${more.toFixed(0)} (${percent(more / none)})`;
  };
  console.log(`| ${one.name} | ${none.toFixed(0)} | ${cost('tenth')} | ${cost('all')} |`);
}
for (const { adminPort } of [tenth, all]) {
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  console.log(metrics.match(/^tensorgate_trace_spans_total\{.*/gm)?.join('\n'));
}
await cleanUp.disposeAsync();
