/**
 * Two gateways, a real Prometheus, and replayed requests: usual ones raise no alert, each kind of other ones raises its own
 * alert and no other. An hour is a minute here. `make test-drift`: about ten minutes on two cores. With an argument: only those
 * with this text in their names.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { needsDataset } from '../dataset.ts';
import { predict, type RunningGateway, startGateway } from '../gateway.ts';
import { needsPrometheus, type Prometheus, startPrometheus } from '../prometheus.ts';
import { until } from '../until.ts';
import { customers, darkened, type Load, photos } from './loads.ts';

/** In place of 60m. */
const WINDOW_S = 60;
/** The time in which an alert has to fire. */
const LIMIT_MS = 300_000;

/** Other alerts tell of a busy machine. */
const ALERTS = 'ALERTS{alertname=~"Tensorgate.*(Skew|Drift)"}';

type Scenario = { readonly name: string; readonly load: Load; readonly alert?: string };

const needed = { ...needsDataset, ...needsPrometheus };
if ('skip' in needed) console.log(`skipped: ${needed.skip}`);
else await run();

async function run(): Promise<void> {
  await using cleanUp = new AsyncDisposableStack();
  const gateways = [await start(cleanUp), await start(cleanUp)];
  const targets = gateways.map(({ adminUrl }) => new URL(adminUrl).host);
  const prometheus = await startPrometheus({ targets, window: `${WINDOW_S}s`, interval: '1s' });
  cleanUp.defer(() => prometheus.stop());
  const scenarios: Scenario[] = [
    { name: 'customers as in the baseline', load: customers(1) },
    { name: 'new customers only', load: customers(2, 24), alert: 'TensorgateInputSkew' },
    { name: 'photos of the held-out test split', load: await photos(3) },
    { name: 'darkened photos', load: await photos(4, () => 1, darkened), alert: 'TensorgateInputSkew' },
    {
      name: 'another class mix: pants five times as often',
      load: await photos(5, ({ label }) => (label === 'pants' ? 5 : 1)),
      alert: 'TensorgatePredictionSkew',
    },
  ];
  const [, , wanted = ''] = process.argv;
  for (const scenario of scenarios.filter(({ name }) => name.includes(wanted)))
    await play(scenario, gateways, prometheus);
}

async function start(cleanUp: AsyncDisposableStack): Promise<RunningGateway> {
  const gateway = await startGateway({ LOG_LEVEL: 'info' });
  cleanUp.defer(async () => void (await gateway.stop()));
  await until(async () => (await fetch(`${gateway.url}/health/ready`)).ok, 120_000);
  return gateway;
}

async function play(
  { name, load, alert }: Scenario,
  gateways: readonly RunningGateway[],
  prometheus: Prometheus,
): Promise<void> {
  const startMs = performance.now();
  const sending = send(gateways, load);
  const seconds = () => ((performance.now() - startMs) / 1000).toFixed(0);
  if (alert === undefined) {
    await compared(prometheus, load);
    // An hour with enough values in it at each time.
    await sleep(1000 * WINDOW_S);
  } else {
    await until(async () => (await fired(prometheus, ALERTS)).length > 0, LIMIT_MS);
    // Whatever else there is to raise has time for it.
    console.log(`${name}: ${await fired(prometheus, ALERTS)} after ${seconds()} s`);
    await sleep(1000 * WINDOW_S);
  }
  const predictions = await sending.stop();
  const seen = await fired(prometheus, `max_over_time(${ALERTS}[${seconds()}s])`);
  console.log(`${name}: ${seen.join(', ') || 'silent'}; ${predictions} predictions in ${seconds()} s`);
  console.log(`  ${await measures(prometheus, load)}`);
  assert.deepEqual(seen, alert === undefined ? [] : [`${alert} ${load.model}`]);
  // The next requests begin with an empty window, and without alerts.
  const isOver = async () => (await compareCount(prometheus, load)) + (await fired(prometheus, ALERTS)).length === 0;
  await until(isOver, 1000 * (2 * WINDOW_S + 30));
  await sleep(2000);
}

/** Sends requests to each gateway, one at a time, until it is stopped. Then it resolves to how many predictions there were. */
function send(gateways: readonly RunningGateway[], load: Load): { stop(): Promise<number> } {
  let isStopped = false;
  let predictions = 0;
  async function worker(gateway: RunningGateway): Promise<void> {
    while (!isStopped) {
      const answer = await predict(gateway, await load.next(), `?model=${load.model}`);
      assert.equal(answer.status, 200, await answer.text());
      predictions += load.predictions;
      // Customers come at some hundred a second otherwise.
      await sleep(200);
    }
  }
  const done = Promise.all(gateways.map(worker));
  return {
    async stop() {
      isStopped = true;
      await done;
      return predictions;
    },
  };
}

/** The alerts about skew and drift that an expression has, each with its model. */
async function fired(prometheus: Prometheus, expression: string): Promise<string[]> {
  const found = await prometheus.query(`count by (alertname, model) (${expression})`);
  return found.map(({ metric: { alertname, model } }) => `${alertname} ${model ?? ''}`).sort();
}

/** Resolves when the window of a model has enough values to be compared: until then silence means nothing. */
function compared(prometheus: Prometheus, load: Load): Promise<void> {
  return until(async () => (await compareCount(prometheus, load)) > 0, LIMIT_MS);
}

async function compareCount(prometheus: Prometheus, { model }: Load): Promise<number> {
  return (await prometheus.query(`tensorgate:feature_skew{model="${model}"}`)).length;
}

async function measures(prometheus: Prometheus, { model }: Load): Promise<string> {
  const found = await prometheus.query(`tensorgate:feature_skew{model="${model}", measure=~"psi|linf"}`);
  return found.map(({ metric: { feature, measure }, value }) => `${feature} ${measure} ${value.toFixed(3)}`).join(', ');
}
