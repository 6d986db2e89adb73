/**
 * From a change in the world to a new version: customers of a promotion come, the alert about skew fires, the hook retrains on their
 * labels, the gate accepts, and the gateway answers with the new version. With a real Prometheus and Alertmanager (`make demo-drift`).
 */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { startGateway } from '../gateway.ts';
import { type LogLine, startRetrainHook } from '../retrain-hook.ts';
import { until } from '../until.ts';
import { askAndTell, drawCustomers, type Right } from './customers.ts';
import { type Monitoring, missingProgram, startMonitoring } from './prometheus.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const MODEL = 'churn-synthetic';
const FIRING = `ALERTS{alertstate="firing", model="${MODEL}"}`;

/** In place of an hour. Each step has enough customers within it. */
const WINDOW = '20s';

const startMs = performance.now();
function say(text: string): void {
  process.stdout.write(`${((performance.now() - startMs) / 1000).toFixed(0).padStart(4)} s  ${text}\n`);
}

const missing = missingProgram();
if (missing !== undefined) {
  say(`${missing} is not in PATH: on Debian, apt-get install prometheus prometheus-alertmanager`);
  process.exit(1);
}

async function open(t: TestContext) {
  const folder = await mkdtemp(path.join(tmpdir(), 'demo-drift-'));
  const [models, log] = [path.join(folder, 'models'), path.join(folder, 'log')];
  await mkdir(log);
  await cp(path.join(ROOT, 'serving/models', MODEL), path.join(models, MODEL), { recursive: true });
  const gateway = await startGateway({ MODELS: models, PREDICTION_LOG: log, READY_WHEN: 'all', TF_SERVING_HOST: '' });
  t.after(() => gateway.stop());
  await gateway.ready();
  const retrain = ['make', '--no-print-directory', '-C', ROOT, 'retrain', `LOG=${log}`, `MODELS=${models}`];
  const command = [...retrain, `WORK=${path.join(folder, 'work')}`, 'TRAIN=--trials 0'];
  const hook = await startRetrainHook(t, ['--on=drift', `--on=model=${MODEL}`, '--', ...command], showOutput);
  const target = new URL(gateway.adminUrl).host;
  const webhook = `${hook.url}/alerts`;
  const monitoring = await startMonitoring(t, { folder, target, webhook, window: WINDOW, groupWait: '10s' });
  // The last: the others write into it when they end.
  t.after(() => rm(folder, { recursive: true, force: true }));
  return { gateway, hook, monitoring };
}

/** The output of the command. */
function showOutput({ stream, msg }: LogLine): void {
  if (stream !== undefined) say(`    ${msg.slice(0, 160)}`);
}

/** How often each version was right, in words. */
const inWords = (right: Right) =>
  [...right].map(([version, one]) => `version ${version} was right about ${one.right} of ${one.asked}`).join(', and ');

const share = (right: Right, version: string) => {
  const { asked, right: count } = right.get(version) ?? { asked: 0, right: 0 };
  return count / asked;
};

/** The alerts that fire, with what they are about. */
const firing = async ({ query }: Monitoring) =>
  (await query(FIRING)).map(({ metric }) => `${metric.alertname} version ${metric.version}: ${metric.feature}`);

test('drift alert, webhook, retraining, gate, push, serving', { timeout: 900_000 }, async (t) => {
  const { gateway, hook, monitoring } = await open(t);
  say(`gateway ${gateway.url}, Prometheus ${monitoring.prometheusUrl}/alerts, hook ${hook.url}/health`);

  // Prometheus sees only what comes after its first look at a counter.
  await until(
    async () => (await monitoring.query(`tensorgate_feature_values_total{model="${MODEL}"}`)).length > 0,
    60_000,
  );
  const usual = await drawCustomers(600, 2, 0);
  const before = await askAndTell(gateway, MODEL, usual);
  say(`600 customers as in training: ${inWords(before)}`);
  const compared = `tensorgate:feature_skew{model="${MODEL}", measure="psi"}`;
  await until(async () => (await monitoring.query(compared)).length > 0, 60_000);
  const [skew] = (await monitoring.query(`max(${compared})`)).map(({ value }) => value);
  assert.deepEqual(await firing(monitoring), []);
  say(`the largest PSI against the baseline is ${skew?.toFixed(3)}: no alert`);

  say('a promotion begins: fiber for 30 a month, month to month');
  const promotion = await drawCustomers(3000, 3, 0.7);
  const during = await askAndTell(gateway, MODEL, promotion);
  say(`3000 customers, 7 of 10 of the promotion: ${inWords(during)}`);
  const { alerts } = await hook.until(({ msg }) => msg === 'run started');
  const causes = (alerts as Record<string, string>[]).map(({ alertname, feature }) => `${alertname} (${feature})`);
  say(`alerts: ${causes.join(', ')}`);
  say('the hook runs make retrain; its output:');

  const ended = await hook.until(({ msg }) => msg === 'run ended');
  assert.equal(ended.outcome, 'succeeded');
  say(`the run has ended: ${ended.outcome} after ${ended.seconds} s`);

  let after: Right;
  do after = await askAndTell(gateway, MODEL, await drawCustomers(500, 4, 0.7));
  while (!after.has('2'));
  say(`500 more customers of this kind: ${inWords(after)}`);
  assert.ok(share(after, '2') > share(during, '1') + 0.2, 'the new version is right more often');

  const response = await fetch(`${gateway.url}/v1/models/${MODEL}/versions/2/lineage`);
  const lineage = (await response.json()) as {
    cause: { alert: string; version: string };
    gate: object;
    run_id: string;
  };
  assert.match(lineage.cause.alert, /^Tensorgate(Input|Prediction)Skew$/);
  assert.deepEqual([lineage.cause.version, lineage.gate], ['1', { decision: 'accepted', against: 1 }]);
  say(`its lineage: run ${lineage.run_id}, caused by ${lineage.cause.alert} of version 1, accepted against version 1`);

  const later = await drawCustomers(400, 5, 0.7);
  const ofNew = `max(tensorgate:feature_skew{model="${MODEL}", measure="psi", version="2"})`;
  let now: number | undefined;
  do {
    await askAndTell(gateway, MODEL, later);
    now = (await monitoring.query(ofNew))[0]?.value;
  } while (now === undefined || (await firing(monitoring)).length > 0);
  say(`the largest PSI against the baseline of version 2 is ${now.toFixed(3)}: no alert fires any more`);
});
