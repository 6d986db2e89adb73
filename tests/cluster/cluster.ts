/**
 * Tests the whole system on a real cluster: `make test-cluster KUBECONFIG=…`. It needs the images
 * tensorgate/gateway:local and tensorgate/tf-serving:local on the nodes (`make kind-up` puts them there),
 * metrics-server and an Ingress controller. There must be no namespace `tensorgate`: the tests create and delete it.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHECKS } from '../committed-model.ts';
import { checkBatch } from './batch.ts';
import { predictions, shares } from './counts.ts';
import { ISOLATION_CHECKS } from './isolation.ts';
import {
  bounds,
  kubectl,
  MODEL,
  NAMESPACE,
  podsOf,
  ROOT,
  readyPodsOf,
  run,
  seconds,
  settled,
  until,
} from './kubectl.ts';
import { ask, assertAnswered, assertNoneFailed, failed, RPS, startTraffic, summary } from './traffic.ts';
import { VERSION_CHECKS } from './versions.ts';

const OVERLAY = process.env.OVERLAY ?? 'kubernetes/kind-models';
/** The least share of the predictions for each of three pods. An even share is 33 %. */
const LEAST_SHARE = 0.2;

let url = process.env.INGRESS ?? '';

const apply = () => run('kubectl', 'apply', '--kustomize', OVERLAY);

const namespaceIfThere = () => run('kubectl', 'get', 'namespace', NAMESPACE, '--ignore-not-found', '--output', 'name');

before(async () => {
  if (await namespaceIfThere()) {
    console.error(
      `The namespace ${NAMESPACE} exists. This test creates and deletes it: run kubectl delete -k ${OVERLAY} first.`,
    );
    // Exit instead of an assertion: `after` would delete the existing namespace.
    process.exit(1);
  }
});

after(() => run('kubectl', 'delete', '--kustomize', OVERLAY, '--ignore-not-found', '--wait=true'));

test('after one kubectl apply the gateway answers through the Ingress', async (t) => {
  const start = performance.now();
  await apply();
  await run('kubernetes/rollout.sh');
  url ||= /(?<=curl )\S+(?=\/predict)/.exec(await run('kubernetes/kind/try.sh'))?.[0] ?? assert.fail('no address');
  await until('the first answer', 60_000, async () => ((await ask(url)).status === 200 ? true : undefined));
  t.diagnostic(`from kubectl apply to the first answer: ${seconds(start)}`);
});

for (const [what, check] of CHECKS) test(`through the Ingress, ${what}`, () => check({ url }));

test('a second kubectl apply changes nothing', async () => {
  const generations = () =>
    kubectl('get', 'all,hpa,pdb,networkpolicy', '--output', 'jsonpath={.items[*].metadata.generation}');
  const before = await generations();
  // kubectl always sends the selector of a disruption budget and prints "configured", so compare on the server.
  assert.equal(await run('kubectl', 'diff', '--kustomize', OVERLAY), '');
  await apply();
  assert.equal(await generations(), before);
});

test('a body that is too large is refused by the gateway, not by the Ingress', async () => {
  const answer = await fetch(`${url}/predict`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: Buffer.alloc(2 ** 25 + 1),
  });
  assert.equal(answer.status, 413);
  assert.equal(((await answer.json()) as { kind: string }).kind, 'body_too_large');
});

for (const [what, check] of ISOLATION_CHECKS) test(what, (t) => check(t, url));

for (const name of ['tf-serving', 'gateway']) {
  test(`${name} scales up under load and down after it, and new pods get a share of the load`, async (t) => {
    // 1 to 3 pods, at 20 % of the requested CPU.
    await kubectl('patch', 'hpa', name, '--patch-file', path.join(ROOT, 'kubernetes/kind/scaling-at-20-percent.yaml'));
    await settled(name, 1);
    const traffic = startTraffic(t, url, RPS);
    const start = performance.now();
    const pods = await until(`3 pods of ${name}`, 240_000, async () => {
      const ready = await readyPodsOf(name);
      return ready.length === 3 ? ready : undefined;
    });
    t.diagnostic(`1 -> 3 pods: ${seconds(start)}`);
    const counted = await predictions(name);
    const newest = Math.max(...pods.map(({ readySinceMs }) => readySinceMs));
    await sleep(Math.max(10_000, newest + 60_000 - Date.now()));
    const each = shares(counted, await predictions(name));
    t.diagnostic(`shares: ${[...each.values()].map((share) => `${(100 * share).toFixed(0)} %`).join(', ')}`);
    for (const [pod, share] of each) assert.ok(share >= LEAST_SHARE, `${pod} got ${share}`);
    t.diagnostic(`while scaling up: ${summary(await traffic.stop())}`);
    assertAnswered(traffic.answers, 100);

    const quiet = startTraffic(t, url, 1);
    const calm = performance.now();
    await bounds(name, 1, 3);
    await until(`1 pod of ${name}`, 400_000, async () => ((await podsOf(name)).length === 1 ? true : undefined));
    t.diagnostic(`3 -> 1 pods: ${seconds(calm)}`);
    t.diagnostic(`while scaling down: ${summary(await quiet.stop())}`);
    assertNoneFailed(quiet.answers, 20);
  });
}

test('two pods of each for the next tests', async () => {
  await apply();
  for (const name of ['tf-serving', 'gateway']) {
    await bounds(name, 2, 2);
    await settled(name, 2);
  }
});

for (const name of ['gateway', 'tf-serving']) {
  test(`a rolling update of ${name} under ${RPS} requests per second fails no request`, async (t) => {
    const traffic = startTraffic(t, url, RPS);
    await sleep(2000);
    const start = performance.now();
    await kubectl('rollout', 'restart', `deployment/${name}`);
    await kubectl('rollout', 'status', `deployment/${name}`, '--timeout=5m');
    await settled(name, 2);
    t.diagnostic(`${seconds(start)}, ${summary(await traffic.stop())}`);
    assertNoneFailed(traffic.answers, 100);
  });
}

test('draining a node fails no request, and on a single node the disruption budget keeps the last pods', async (t) => {
  const traffic = startTraffic(t, url, RPS);
  const [pod] = await readyPodsOf('gateway');
  const node = await kubectl('get', 'pod', pod?.name ?? '', '--output', 'jsonpath={.spec.nodeName}');
  const nodes = (await run('kubectl', 'get', 'nodes', '--output', 'name')).split('\n');
  const drain = run(
    ...(['kubectl', 'drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=60s'] as const),
    ...['--pod-selector', 'app.kubernetes.io/name in (gateway, tf-serving)'],
  );
  try {
    if (nodes.length > 1) await drain;
    else await assert.rejects(drain, /disruption budget/);
    for (const name of ['gateway', 'tf-serving']) assert.ok((await readyPodsOf(name)).length >= 1, name);
  } finally {
    await run('kubectl', 'uncordon', node);
  }
  for (const name of ['gateway', 'tf-serving']) await settled(name, 2);
  t.diagnostic(summary(await traffic.stop()));
  assertNoneFailed(traffic.answers, 100);
});

test('killing one of two tf-serving pods fails no request', async (t) => {
  const traffic = startTraffic(t, url, RPS);
  await sleep(2000);
  const [pod] = await readyPodsOf('tf-serving');
  await kubectl('delete', 'pod', pod?.name ?? '', '--force', '--grace-period=0');
  await sleep(5000);
  await settled('tf-serving', 2);
  t.diagnostic(summary(await traffic.stop()));
  assertNoneFailed(traffic.answers, 100);
});

test('without tf-serving the gateway answers 503 with Retry-After and is not ready; it recovers within 10 s', async (t) => {
  const [gateway] = await readyPodsOf('gateway');
  const traffic = startTraffic(t, url, 5);
  t.after(() => kubectl('scale', 'deployment/tf-serving', '--replicas=2'));
  await kubectl('scale', 'deployment/tf-serving', '--replicas=0');
  await until('no tf-serving', 120_000, async () => ((await podsOf('tf-serving')).length === 0 ? true : undefined));
  await until('no ready gateway', 20_000, async () => ((await readyPodsOf('gateway')).length === 0 ? true : undefined));
  const direct = await kubectl(
    ...['exec', gateway?.name ?? '', '--', 'node', '--eval'],
    `const picture = require('node:fs').readFileSync('serving/models/clothing-model/parity/tall-420.jpg');
     const start = performance.now();
     fetch('http://127.0.0.1:9696/predict', { method: 'POST', headers: { 'Content-Type': 'image/*' }, body: picture })
       .then((answer) => console.log(answer.status, answer.headers.get('retry-after'), performance.now() - start))`,
  );
  const [status, retryAfter, tookMs] = direct.split(' ').map(Number);
  t.diagnostic(`the gateway answered directly: ${status}, Retry-After ${retryAfter}, after ${tookMs?.toFixed(0)} ms`);
  assert.equal(status, 503);
  assert.ok(Number(retryAfter) >= 1);
  const bad = failed(await traffic.stop());
  assert.deepEqual([...new Set(bad.map(({ status }) => status))], [503]);
  t.diagnostic(
    `through the Ingress: ${bad.length} times 503, the slowest after ${Math.round(Math.max(...bad.map(({ tookMs }) => tookMs)))} ms`,
  );

  await kubectl('scale', 'deployment/tf-serving', '--replicas=2');
  const first = await until('a pod of tf-serving', 120_000, async () => (await readyPodsOf('tf-serving'))[0]);
  await until('an answer', 60_000, async () => ((await ask(url)).status === 200 ? true : undefined));
  const lateMs = Date.now() - first.readySinceMs;
  t.diagnostic(`answers again ${(lateMs / 1000).toFixed(0)} s after the pod was Ready`);
  assert.ok(lateMs <= 11_000, `${lateMs} ms; Kubernetes rounds times to seconds, so up to 11 s pass`);
  await settled('tf-serving', 2);
  for (const { name, restarts } of await settled('gateway', 2)) assert.equal(restarts, 0, name);
});

/** Updates that must not roll out, and the error of `rollout.sh`. */
const BAD_UPDATES: readonly (readonly [what: string, update: (t: TestContext) => Promise<unknown>, error: RegExp])[] = [
  [
    'an image that does not exist',
    () => kubectl('set', 'image', 'deployment/gateway', 'gateway=tensorgate/gateway:does-not-exist'),
    /ErrImageNeverPull|ImagePull/,
  ],
  [
    'a model.yaml with other preprocessing than the model was trained with',
    async (t) => {
      const folder = await mkdtemp(path.join(tmpdir(), 'cards-'));
      t.after(() => rm(folder, { recursive: true }));
      const card = await readFile(path.join(MODEL, 'model.yaml'), 'utf8');
      await writeFile(path.join(folder, 'model.yaml'), card.replace('scale: tf', 'scale: torch'));
      await kubectl('create', 'configmap', 'wrong-card', '--from-file', folder);
      t.after(() => kubectl('delete', 'configmap', 'wrong-card'));
      const volumes = [{ name: 'wrong-card', configMap: { name: 'wrong-card' } }];
      const mountPath = '/app/serving/models/clothing-model/model.yaml';
      const volumeMounts = [{ name: 'wrong-card', mountPath, subPath: 'model.yaml', readOnly: true }];
      const patch = JSON.stringify({
        spec: { template: { spec: { volumes, containers: [{ name: 'gateway', volumeMounts }] } } },
      });
      await kubectl('patch', 'deployment', 'gateway', '--patch', patch);
    },
    /parity is differing/,
  ],
];

for (const [what, update, error] of BAD_UPDATES) {
  test(`${what} stops the rollout, and the old pods keep serving`, async (t) => {
    const traffic = startTraffic(t, url, 5);
    try {
      await update(t);
      await assert.rejects(run('env', 'TIMEOUT=40', 'kubernetes/rollout.sh'), error);
      assert.equal((await readyPodsOf('gateway')).length, 2);
    } finally {
      await kubectl('rollout', 'undo', 'deployment/gateway');
    }
    await settled('gateway', 2);
    t.diagnostic(summary(await traffic.stop()));
    assertNoneFailed(traffic.answers, 10);
  });
}

for (const [what, check] of VERSION_CHECKS) test(what, (t) => check(t, url));

test('three pods predict a folder, and after a kill no picture is missing or twice', checkBatch);

test('deleting the overlay leaves no objects', async () => {
  await run('kubectl', 'delete', '--kustomize', OVERLAY, '--wait=true');
  const left = await Promise.all([
    namespaceIfThere(),
    kubectl('get', 'all,ingress,pvc', '--output', 'name'),
    run('kubectl', 'get', 'pv,priorityclass', '--selector', 'app.kubernetes.io/part-of=tensorgate', '--output', 'name'),
  ]);
  assert.deepEqual(left, ['', '', '']);
});
