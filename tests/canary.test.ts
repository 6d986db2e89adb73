/** Traffic in model.yaml: the split between a stable version and a canary, and changes of it while requests go on. */
import assert from 'node:assert/strict';
import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { placeOf } from '../gateway/model/traffic.ts';
import { predict, type RunningGateway, startGatewayFor } from './gateway.ts';
import { until } from './until.ts';
import { body, CARD, type Fleet, signature, startFleet, writeScores } from './version-changes.ts';

/** Figures need 10,000. Here the version of each user is compared with placeOf, whose shares traffic.test.ts measures. */
const REQUESTS = Number(process.env.CANARY_REQUESTS ?? 300);
const AT_ONCE = 16;

/** Two servers with the versions 1 and 2. Every version's first score is its number. */
async function startVersions(t: TestContext): Promise<Fleet> {
  const fleet = await startFleet(t);
  await writeScores(fleet.models, 2, 2);
  const versions = new Map([1, 2].map((version) => [version, signature(version)]));
  for (const server of fleet.servers) server.versions = versions;
  return fleet;
}

const setTraffic = ({ models }: Fleet, traffic: string) =>
  writeFile(path.join(models, 'photos', 'model.yaml'), `${CARD}traffic: ${traffic}\n`);

const start = ({ models, target }: Fleet, t: TestContext, settings = {}) =>
  startGatewayFor(t, { MODELS: models, TF_SERVING_HOST: target, ...settings });

/** The version that answers a user, checked against the scores. */
async function versionFor({ url }: RunningGateway, user: string): Promise<number> {
  const response = await fetch(`${url}/predict`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-User-Id': user },
    body: JSON.stringify(body),
  });
  const answer = await response.text();
  assert.equal(response.status, 200, answer);
  const version = Number(response.headers.get('x-model-version'));
  assert.equal(JSON.parse(answer).a, version);
  return version;
}

type State = {
  version?: number;
  problem?: string;
  mistake?: string;
  canary?: { version: number; share: number; problem?: string };
};

async function stateOf({ url }: RunningGateway): Promise<State & { readonly status: number }> {
  const response = await fetch(`${url}/health/ready`);
  const { models } = (await response.json()) as { models: { photos: State } };
  return { status: response.status, ...models.photos };
}

test(`three gateways send 10 % of ${REQUESTS} requests to the canary, and each user to the same version`, async (t) => {
  const fleet = await startVersions(t);
  await setTraffic(fleet, '{stable: 1, canary: {version: 2, share: 10%}, sticky: header X-User-Id}');
  const gateways = await Promise.all([start(fleet, t), start(fleet, t), start(fleet, t)]);
  for (const gateway of gateways)
    await until(async () => {
      const { status, canary } = await stateOf(gateway);
      return status === 200 && canary !== undefined && canary.problem === undefined;
    });
  const users = Array.from({ length: REQUESTS }, (_, index) => `user-${index}`);
  const canaries: string[] = [];
  const answered = new Map(gateways.map((gateway) => [gateway, 0]));
  const waiting = users.entries();
  const ask = async () => {
    for (const [index, user] of waiting) {
      // One user in ten asks all gateways.
      const asked = index % 10 === 0 ? gateways : gateways.slice(index % 3, (index % 3) + 1);
      const [first, ...others] = await Promise.all(asked.map((gateway) => versionFor(gateway, user)));
      assert.ok(
        others.every((version) => version === first),
        `${user}: ${first}, ${others}`,
      );
      if (first === 2) canaries.push(user);
      if (first === 2) for (const gateway of asked) answered.set(gateway, 1 + (answered.get(gateway) ?? 0));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  assert.deepEqual(new Set(canaries), new Set(users.filter((user) => placeOf('photos', user) < 0.1)));
  const share = canaries.length / users.length;
  t.diagnostic(
    `came: ${(100 * share).toFixed(2)} % of ${users.length} users, one in ten of them at all three gateways`,
  );
  assert.ok(Math.abs(share - 0.1) < 4 * Math.sqrt((0.1 * 0.9) / users.length), `${share}`);
  for (const [gateway, count] of answered) {
    const metrics = await gateway.metrics();
    assert.match(metrics, /tensorgate_canary_share\{model="photos",version="2"\} 0\.1\n/);
    const counted = /version_requests_total\{model="photos",version="2",role="canary",outcome="ok"\} (\d+)/.exec(
      metrics,
    );
    assert.equal(Number(counted?.[1]), count);
  }
});

test('model.yaml changes under load: no request fails, and each change is used without a restart', async (t) => {
  const fleet = await startVersions(t);
  await setTraffic(fleet, '{stable: 1}');
  const gateway = await start(fleet, t);
  await gateway.ready();
  const stop = new AbortController();
  const seen: number[] = [];
  const failed: unknown[] = [];
  const ask = async () => {
    while (!stop.signal.aborted || seen.length < REQUESTS)
      await versionFor(gateway, `user-${seen.length}`).then(
        (version) => seen.push(version),
        (error) => failed.push(error),
      );
  };
  const asking = Array.from({ length: 4 }, ask);
  const latest = () => new Set(seen.slice(-40));
  await until(() => seen.length > 40);
  assert.deepEqual(latest(), new Set([1]));
  for (const [traffic, wanted] of [
    ['{stable: 1, canary: {version: 2, share: 50%}}', [1, 2]],
    ['{stable: 1, canary: {version: 2, share: 100%}}', [2]],
    ['{stable: 1, canary: {version: 2, share: 0%}}', [1]],
    ['{stable: 2}', [2]],
    ['{stable: 1}', [1]],
  ] as const) {
    await setTraffic(fleet, traffic);
    await until(() => latest().size === wanted.length && wanted.every((version) => latest().has(version)));
  }
  stop.abort();
  await Promise.all(asking);
  t.diagnostic(`came: ${failed.length} of ${seen.length} requests failed in five reloads`);
  assert.deepEqual(failed, []);
});

test('a stable version that cannot answer is refused: log, metric and readiness say why, and the old file stays', async (t) => {
  const fleet = await startVersions(t);
  await setTraffic(fleet, '{stable: 1}');
  const gateway = await start(fleet, t);
  await gateway.ready();
  const refused = async () => /tensorgate_model_file_refused\{model="photos"\} (\d)/.exec(await gateway.metrics())?.[1];
  assert.equal(await refused(), '0');
  await setTraffic(fleet, '{stable: 3, canary: {version: 2, share: 10%}}');
  const mistake = 'photos/model.yaml: traffic: the stable version cannot answer: no model server has version 3';
  await until(async () => (await stateOf(gateway)).mistake === mistake);
  assert.deepEqual([(await stateOf(gateway)).status, await refused(), await versionFor(gateway, 'a')], [200, '1', 1]);
  assert.equal(gateway.log.filter(({ problem }) => problem === mistake).length, 1);
  // A file that is not valid either: the same place tells it.
  await setTraffic(fleet, '{stable: 1, canary: {version: 2, share: 110%}}');
  await until(async () =>
    /^photos\/model\.yaml:4: traffic\.canary\.share/.test((await stateOf(gateway)).mistake ?? ''),
  );
  assert.equal(await refused(), '1');

  await setTraffic(fleet, '{stable: 3}');
  await writeScores(fleet.models, 3, 3);
  for (const server of fleet.servers) server.versions = new Map([...server.versions, [3, signature(3)]]);
  await until(async () => (await versionFor(gateway, 'a')) === 3);
  assert.deepEqual([(await stateOf(gateway)).mistake, await refused()], [undefined, '0']);

  // The pinned version is gone: no other one answers in its place.
  for (const server of fleet.servers)
    server.versions = new Map([...server.versions].filter(([version]) => version < 3));
  await until(async () => (await stateOf(gateway)).status === 503, 30_000);
  assert.match(
    (await stateOf(gateway)).problem ?? '',
    /^the stable version cannot answer: no model server has version 3$/,
  );
  const answer = await predict(gateway, body);
  assert.equal(answer.status, 503);
  assert.match(await answer.text(), /no model server has version 3/);
});

test('a canary that cannot answer gets no requests, and the readiness says why', async (t) => {
  const fleet = await startVersions(t);
  await setTraffic(fleet, '{stable: 1, canary: {version: 2, share: 100%}}');
  const gateway = await start(fleet, t);
  await until(async () => (await stateOf(gateway)).status === 200 && (await versionFor(gateway, 'a')) === 2);
  for (const server of fleet.servers) server.versions = new Map([[1, signature(1)]]);
  // The request that finds the canary gone is answered by the stable version.
  assert.equal(await versionFor(gateway, 'a'), 1);
  await until(async () => (await stateOf(gateway)).canary?.problem === 'no model server has version 2');
  assert.equal((await stateOf(gateway)).status, 200);
  const told = gateway.log.filter(({ msg }) => /^the canary gets/.test(String(msg))).map(({ msg }) => msg);
  assert.deepEqual(told.slice(-2), [
    'the canary gets its share of the requests',
    'the canary gets no requests; the stable version answers them',
  ]);
  assert.match(await gateway.metrics(), /tensorgate_canary_share\{model="photos",version="2"\} 0\n/);
});

test('the id of a picture keeps a user on one version', async (t) => {
  const fleet = await startVersions(t);
  await setTraffic(fleet, '{stable: 1, canary: {version: 2, share: 50%}, sticky: instance id}');
  const gateway = await start(fleet, t);
  await until(async () => /canary_share\{model="photos",version="2"\} 0.5/.test(await gateway.metrics()));
  for (const id of 'abcdefgh') {
    const answer = await predict(gateway, { ...body, id });
    const version = placeOf('photos', id) < 0.5 ? 2 : 1;
    assert.equal(answer.headers.get('x-model-version'), String(version), id);
    assert.match(await answer.text(), new RegExp(`"a":${version}`));
  }
});

test('labels name the stable version and the canary, and the split follows them', async (t) => {
  const fleet = await startVersions(t);
  const label = (labels: Record<string, number>) => {
    for (const server of fleet.servers) server.labels = new Map(Object.entries(labels));
  };
  label({ stable: 1, next: 2 });
  await setTraffic(fleet, '{stable: stable, canary: {version: next, share: 50%}, sticky: query user}');
  const gateway = await start(fleet, t);
  await gateway.ready();
  const answers = async (user: string) =>
    Number((await predict(gateway, body, `?user=${user}`)).headers.get('x-model-version'));
  const [canary = '', stable = ''] = [0, 1].map((side) =>
    ['a', 'b', 'c', 'd', 'e', 'f', 'g'].find((user) => Number(placeOf('photos', user) >= 0.5) === side),
  );
  await until(async () => (await answers(canary)) === 2);
  assert.equal(await answers(stable), 1);
  label({ stable: 2, next: 1 });
  await until(async () => (await answers(canary)) === 1 && (await answers(stable)) === 2);
  label({ stable: 2 });
  await until(async () => (await answers(canary)) === 2);
});

/** Writes model.yaml as Kubernetes mounts a ConfigMap: a link to a link to a folder, which is swapped. */
async function mount({ models }: Fleet, traffic: string, revision: number): Promise<void> {
  const folder = path.join(models, 'photos');
  const data = path.join(folder, `..revision-${revision}`);
  await mkdir(data);
  await writeFile(path.join(data, 'model.yaml'), `${CARD}traffic: ${traffic}\n`);
  await symlink(path.basename(data), path.join(folder, '..data-new'));
  await rename(path.join(folder, '..data-new'), path.join(folder, '..data'));
  if (revision === 1) {
    await rm(path.join(folder, 'model.yaml'));
    await symlink('..data/model.yaml', path.join(folder, 'model.yaml'));
  }
  for (const name of await readdir(folder))
    if (name.startsWith('..revision-') && name !== path.basename(data))
      await rm(path.join(folder, name), { recursive: true });
}

test("a mounted ConfigMap's swap of links is followed", async (t) => {
  const fleet = await startVersions(t);
  await mount(fleet, '{stable: 1}', 1);
  const gateway = await start(fleet, t);
  await gateway.ready();
  assert.equal(await versionFor(gateway, 'a'), 1);
  await mount(fleet, '{stable: 2}', 2);
  await until(async () => (await versionFor(gateway, 'a')) === 2);
  await mount(fleet, '{stable: 1}', 3);
  await until(async () => (await versionFor(gateway, 'a')) === 1);
});

test('while the servers of two models go to the next version, X-Model-Version never goes back and no readiness fails', async (t) => {
  const fleet = await startFleet(t);
  await writeScores(fleet.models, 2, 2);
  await mkdir(path.join(fleet.models, 'other'));
  await writeFile(path.join(fleet.models, 'other', 'model.yaml'), CARD.replace('photos', 'other'));
  const gateway = await start(fleet, t, { READY_WHEN: 'all', MODEL_NAME: 'photos' });
  await gateway.ready();
  const stop = new AbortController();
  const seen: { readonly version: number; readonly ready: number }[] = [];
  const asking = (async () => {
    while (!stop.signal.aborted) {
      seen.push({ version: await versionFor(gateway, `user-${seen.length}`), ready: (await stateOf(gateway)).status });
      await sleep(50);
    }
  })();
  for (const server of fleet.servers) {
    await server.stop();
    server.versions = new Map([[2, signature(2)]]);
    server.labels = new Map([['stable', 2]]);
    await server.start();
    // A rolling update waits until the new server is ready, and here until the gateway has found it.
    await until(async () => (await stateOf(gateway)).version === 2);
  }
  const end = seen.length + 40;
  await until(() => seen.length > end);
  stop.abort();
  await asking;
  assert.equal((await predict(gateway, body, '?model=other')).headers.get('x-model-version'), '2');
  const versions = seen.map(({ version }) => version);
  t.diagnostic(`came: ${seen.length} requests, versions ${[...new Set(versions)].join(' then ')}`);
  assert.deepEqual(versions, versions.toSorted());
  assert.deepEqual(new Set(versions), new Set([1, 2]));
  assert.deepEqual(new Set(seen.map(({ ready }) => ready)), new Set([200]));
});
