/** `tensorgate replay` and `models push --replay`, as processes: logs of real gateways are sent to two versions. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { VerdictReport } from '../../gateway/cli/verdict/report.ts';
import { onnxModel } from '../../serving/embedded/testing/onnx-models.ts';
import { temporary, writeFiles } from '../candidates.ts';
import { runCli } from '../cli.ts';
import { predict, type Service, startGatewayFor } from '../gateway.ts';
import { modelsFolder } from '../models.ts';
import { until } from '../until.ts';
import { linesIn } from './log-lines.ts';
import { CARD, cat, sendRecords, serverFor } from './pets.ts';

const REQUESTS = 300;

/** Sends records, and resolves when they are in the log. */
async function logRecords(gateway: Service, log: string, records: readonly object[]): Promise<void> {
  await sendRecords(gateway, records);
  await until(async () => (await linesIn(log)) === records.length);
}

const records = Array.from({ length: REQUESTS }, (_, index) => ({ x: index + 1 }));

/** A gateway with a log of the records, and a log that is read while it is still written. */
async function logged(t: TestContext, card = CARD, failsFrom?: number) {
  const server = await serverFor(t, failsFrom);
  const log = path.join(await temporary(t), 'log');
  const models = await modelsFolder(t, { pets: card });
  const settings = { TF_SERVING_HOST: server.target, MODELS: models, DEFAULT_MODEL: 'pets' };
  const gateway = await startGatewayFor(t, { ...settings, PREDICTION_LOG: log });
  await gateway.ready();
  const replay = (...args: readonly string[]) =>
    runCli(['replay', log, '--version', '4', '--against', '3', '--models', models, ...args], { env: settings });
  return { gateway, log, replay };
}

test('a log is sent to both versions, and the verdict has the figures of their answers', async (t) => {
  const { gateway, log, replay } = await logged(t);
  await logRecords(gateway, log, records);
  const { stdout, code, stderr } = await replay('--gateway', gateway.url, '--json');
  assert.equal(code, 1, stderr);
  const report = JSON.parse(stdout) as VerdictReport & { readonly log: { readonly sent: number } };
  const same = records.filter(({ x }) => cat(3, x) > 0.5 === cat(4, x) > 0.5).length;
  const distances = records.map(({ x }) => 2 * Math.abs(cat(3, x) - cat(4, x)));
  const distance = distances.reduce((sum, one) => sum + one, 0) / REQUESTS;
  assert.deepEqual(
    [report.log.sent, report.candidate.requests, report.candidate.errors, report.agreement.compared],
    [REQUESTS, REQUESTS, 0, REQUESTS],
  );
  assert.equal(report.agreement.same, same);
  assert.ok(Math.abs((report.agreement.meanDistance ?? 0) - distance) < 1e-6, `${report.agreement.meanDistance}`);
  assert.equal(report.decision, 'abort');
  assert.match(report.reason, /; 90\.0 % of 300 best classes are those of version 3, beyond the bound of 95\.0 % /);
});

test('without --gateway one is started, bounds are those of model.yaml, and --limit sends a sample', async (t) => {
  const card = `${CARD}guard: {min_requests: 50, max_error_rate_increase: 5%, min_top1_agreement: 80%}\n`;
  const { gateway, log, replay } = await logged(t, card);
  await logRecords(gateway, log, records);
  const { stdout, code, stderr } = await replay('--limit', '100');
  assert.equal(code, 0, `${stdout}${stderr}`);
  assert.match(stdout, /^requests +100 +100$/m);
  assert.match(stdout, /^promote: version 4 had 100 requests; its error rate is 0\.0 percentage points above /m);
  assert.match(stdout, /^sent 100 of 300 predictions, chosen at random: see --limit$/m);
  assert.equal(await linesIn(log), REQUESTS);
});

test('what one version fails is an error of it; a version that nobody has ends the replay', async (t) => {
  const { gateway, log, replay } = await logged(t, CARD, 251);
  await logRecords(gateway, log, records.slice(0, 250));
  // The version of requests that name none is 4: the last records are logged by version 3.
  for (const { x } of records.slice(250)) {
    assert.equal((await predict(gateway, { instances: [{ x }] }, '?model=pets&version=3')).status, 200);
  }
  await until(async () => (await linesIn(log)) === REQUESTS);
  const { stdout, code } = await replay('--gateway', gateway.url);
  assert.equal(code, 1);
  assert.match(stdout, /^errors +50 +0$/m);
  assert.match(stdout, /^abort: .*its error rate is 16\.7 percentage points above that of version 3, beyond /m);
  const none = await runCli(['replay', log, '--version', '7', '--against', '3', '--gateway', gateway.url]);
  assert.deepEqual([none.code, none.stderr], [2, 'pets: no model server has version 7; there are 3, 4\n']);
});

/** Logits of two classes: x for a cat and -x for a dog, or the other way round. */
const pets = (sign: 1 | -1) =>
  onnxModel({
    inputs: [{ name: 'x', shape: ['n', 1] }],
    outputs: [{ name: 'logits', shape: ['n', 2] }],
    nodes: [['MatMul', ['x', 'weights'], 'logits']],
    constants: [{ name: 'weights', shape: [1, 2], data: Float32Array.of(sign, -sign) }],
  });

test('models push --replay publishes a version that agrees, and refuses one that does not', async (t) => {
  const folder = await temporary(t);
  const models = path.join(folder, 'models');
  const log = path.join(folder, 'log');
  await writeFiles(models, {
    'pets/model.yaml': 'name: pets\nclasses: [cat, dog]\nguard: {min_requests: 50, min_top1_agreement: 90%}\n',
    'pets/1/model.onnx': pets(1),
  });
  const same = await writeFiles(path.join(folder, 'same'), { 'model.onnx': pets(1) });
  const turned = await writeFiles(path.join(folder, 'turned'), { 'model.onnx': pets(-1) });
  const gateway = await startGatewayFor(t, { MODELS: models, DEFAULT_MODEL: 'pets', PREDICTION_LOG: log });
  await gateway.ready();
  await logRecords(
    gateway,
    log,
    records.slice(0, 100).map(({ x }) => ({ x: x - 50.5 })),
  );
  const push = (candidate: string) =>
    runCli(['models', 'push', candidate, '--model', 'pets', '--models', models, '--replay', log]);
  const refused = await push(turned);
  assert.equal(refused.code, 2, refused.stderr);
  assert.match(refused.stderr, /^agreement +0\.0 % of 100 /m);
  assert.match(refused.stderr, /turned: the replay says abort; nothing was pushed\n$/);
  assert.deepEqual((await readdir(path.join(models, 'pets'))).sort(), ['1', 'model.yaml']);
  const pushed = await push(same);
  assert.equal(pushed.code, 0, pushed.stderr);
  assert.match(pushed.stderr, /^promote: version 2 had 100 requests; 100\.0 % of 100 best classes are those of /m);
  assert.match(pushed.stdout, /^pets version 2: /);
});
