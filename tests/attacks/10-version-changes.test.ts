/** Versions that change on two model servers while requests go on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { predict, type RunningGateway, startGatewayFor } from '../gateway.ts';
import { until } from '../until.ts';
import { body, makeChanges, signature, startFleet, startLoad, writeScores } from '../version-changes.ts';

/** `CHANGES=200 PER_SECOND=50` is the long run. */
const { CHANGES = '12', PER_SECOND = '20' } = process.env;

test('A10, E15: renamed tensors, moved labels, withdrawn and wrong versions on two servers: no request fails', async (t) => {
  const fleet = await startFleet(t);
  const gateway = await startGatewayFor(t, { MODELS: fleet.models, TF_SERVING_HOST: fleet.target });
  await gateway.ready();
  const load = startLoad(gateway, Number(PER_SECOND));
  const made = await makeChanges(fleet, { count: Number(CHANGES), seed: 7, maxPauseMs: 500 });
  await load.stop();
  const versions = new Set(load.answers.map(({ version }) => version));
  const times = load.answers.map(({ tookMs }) => tookMs).sort((one, other) => one - other);
  const [p50, p99, slowest] = [0.5, 0.99, 1].map((share) => times.at(Math.ceil(share * times.length) - 1)?.toFixed());
  t.diagnostic(
    `came: ${times.length} answers in ${p50} ms, p99 ${p99}, the slowest ${slowest}; ${JSON.stringify(made)}`,
  );
  assert.deepEqual(
    load.answers.filter(({ status }) => status !== 200),
    [],
  );
  assert.deepEqual(load.notReady, []);
  assert.ok(versions.size >= 2, `only the versions ${[...versions]} have answered`);
  assert.ok(versions.isDisjointFrom(fleet.refused), `one of ${[...fleet.refused]} has answered`);
});

/** The version that answers, or the status and the kind of the error. */
async function answerOf(gateway: RunningGateway, query = ''): Promise<string> {
  const response = await predict(gateway, body, query);
  const { kind } = (await response.json()) as { kind?: string };
  return response.status === 200 ? `version ${response.headers.get('x-model-version')}` : `${response.status} ${kind}`;
}

async function readiness(gateway: RunningGateway) {
  const response = await fetch(`${gateway.url}/health/ready`);
  const { models } = (await response.json()) as {
    models: { photos: { version?: number; problem?: string; refused?: { version: number; problem: string }[] } };
  };
  return { status: response.status, ...models.photos };
}

test('A10: a version answers only where it is proven, while servers have different versions', async (t) => {
  const fleet = await startFleet(t);
  const [first, second] = fleet.servers;
  const gateway = await startGatewayFor(t, { MODELS: fleet.models, TF_SERVING_HOST: fleet.target });
  await gateway.ready();
  const one = [1, signature(1)] as const;

  // A version whose scores are not those of training never answers, on no server and by no name.
  await writeScores(fleet.models, 2, -1);
  first.versions = new Map([one, [2, signature(2)]]);
  first.labels = new Map([['next', 2]]);
  await until(async () => (await readiness(gateway)).refused?.[0]?.version === 2);
  assert.equal((await readiness(gateway)).status, 200);
  assert.equal(await answerOf(gateway), 'version 1');
  assert.equal(await answerOf(gateway, '?version=2'), '409 version_not_proven');
  assert.equal(await answerOf(gateway, '?label=next'), '409 version_not_proven');
  assert.equal(await answerOf(gateway, '?version=9'), '404 model_not_found');
  assert.equal(await answerOf(gateway, '?label=gone'), '404 model_not_found');

  // Half of the servers have the new version: it is found by its number at once, and answers soon.
  await writeScores(fleet.models, 3, 3);
  first.versions = new Map([one, [3, signature(3)]]);
  assert.equal(await answerOf(gateway, '?version=3'), 'version 3');
  await until(async () => (await answerOf(gateway)) === 'version 3');
  first.versions = new Map([[3, signature(3)]]);
  for (let request = 0; request < 10; request += 1) {
    assert.equal(await answerOf(gateway), 'version 3');
    assert.equal(await answerOf(gateway, '?version=1'), 'version 1');
    assert.equal(await answerOf(gateway, '?label=stable'), 'version 1');
  }
  assert.equal((await readiness(gateway)).status, 200);

  // The same number with other names, on one server and then on both.
  first.versions = new Map([[3, signature(4)]]);
  for (let request = 0; request < 5; request += 1) assert.match(await answerOf(gateway), /^version [13]$/);
  await until(async () => (await answerOf(gateway)) === 'version 3');
  second.versions = new Map([[3, signature(5)]]);
  for (let request = 0; request < 5; request += 1) assert.equal(await answerOf(gateway), 'version 3');

  // Signatures that do not fit model.yaml: /health/ready reports it.
  const wrong = { ...signature(4), outputs: { dense_4: { dtype: 'DT_FLOAT', shape: [-1, 7] } } };
  first.versions = new Map([[4, wrong]]);
  second.versions = new Map([[4, wrong]]);
  await until(async () => (await readiness(gateway)).status === 503);
  assert.match((await readiness(gateway)).problem ?? '', /says 2 classes, but version 4 .* has no output of \[n,2\]/);
  assert.equal(await answerOf(gateway), '503 model_unavailable');
  assert.equal(await answerOf(gateway, '?version=4'), '409 version_not_proven');
});
