/** Limits the damage of a compromised pod: privileges, network policies, and what the public port exposes. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { inside, readyPodsOf, run } from './kubectl.ts';

const OUTSIDE = 'tensorgate-outsiders';
const PORT = 8080;

type Outsider = { readonly name: string; readonly ip: string };

/** A pod in another namespace: a web server, from which connections can be tried. */
const outsider = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: OUTSIDE, labels: { name } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name,
        image: 'tensorgate/gateway:local',
        command: ['node', '--eval', `require("node:http").createServer((_, answer) => answer.end()).listen(${PORT})`],
        readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 },
      },
    ],
  },
});

/**
 * Denies all egress of the pod `no-egress`. If it still reaches the API server, the cluster cannot enforce that by
 * policy.
 */
const NO_EGRESS = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'no-egress', namespace: OUTSIDE },
  spec: { podSelector: { matchLabels: { name: 'no-egress' } }, policyTypes: ['Egress'] },
};

/** Creates a namespace with two pods without policies and one without egress. Deleted at the end of the test. */
async function outsiders(t: TestContext): Promise<Readonly<Record<'one' | 'two' | 'noEgress', Outsider>>> {
  await run('kubectl', 'create', 'namespace', OUTSIDE);
  t.after(() => run('kubectl', 'delete', 'namespace', OUTSIDE));
  const started = async (name: string): Promise<Outsider> => {
    await run('kubectl', 'wait', '--namespace', OUTSIDE, '--for=condition=Ready', `pod/${name}`, '--timeout=2m');
    const query = ['--namespace', OUTSIDE, '--output', 'jsonpath={.status.podIP}'];
    return { name, ip: await run('kubectl', 'get', 'pod', name, ...query) };
  };
  const objects = { apiVersion: 'v1', kind: 'List', items: [NO_EGRESS, ...['one', 'two', 'no-egress'].map(outsider)] };
  await run('bash', '-c', 'kubectl create --filename - <<< "$0"', JSON.stringify(objects));
  const [one, two, noEgress] = await Promise.all([started('one'), started('two'), started('no-egress')]);
  return { one, two, noEgress };
}

const connecting = (host: string, port: number): string =>
  `timeout 3 bash -c 'exec 3<>/dev/tcp/${host}/${port}' && echo open || echo closed`;

/** Whether a connection from a tensorgate pod opens. */
const reaches = async (pod: string, host: string, port: number): Promise<boolean> =>
  (await inside(pod, connecting(host, port))).endsWith('open');

/** Whether a connection from an outsider opens. */
async function outsiderReaches({ name }: Outsider, host: string, port: number): Promise<boolean> {
  const output = await run('kubectl', 'exec', '--namespace', OUTSIDE, name, '--', 'bash', '-c', connecting(host, port));
  return output.endsWith('open');
}

async function firstOf(name: string) {
  const [pod] = await readyPodsOf(name);
  return pod ?? assert.fail(`no pod of ${name} is ready`);
}

const hasNoPrivileges = (name: string) => async () => {
  const { name: pod } = await firstOf(name);
  assert.ok(Number(await inside(pod, 'id -u')) >= 10_000);
  assert.match(await inside(pod, 'touch /here'), /Read-only file system/);
  assert.match(await inside(pod, 'ls /var/run/secrets/kubernetes.io'), /No such file or directory/);
  const status = await inside(pod, 'grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status');
  assert.deepEqual(status.split(/\s+/), ['CapEff:', '0000000000000000', 'NoNewPrivs:', '1', 'Seccomp:', '2']);
};

type IsolationCheck = readonly [what: string, check: (t: TestContext, url: string) => Promise<void>];

export const ISOLATION_CHECKS: readonly IsolationCheck[] = [
  ['a gateway runs without privileges, writable files and token', hasNoPrivileges('gateway')],
  ['a tf-serving pod runs without privileges, writable files and token', hasNoPrivileges('tf-serving')],
  [
    'only the gateway reaches tf-serving, and both reach only what they need',
    async (t) => {
      const [gateway, server] = await Promise.all([firstOf('gateway'), firstOf('tf-serving')]);
      const { one, two, noEgress } = await outsiders(t);
      // Positive controls: these connections must open.
      assert.ok(await outsiderReaches(one, two.ip, PORT), 'pods of another namespace reach each other');
      assert.ok(await outsiderReaches(one, gateway.ip, 9696), 'another namespace reaches the service port');
      assert.ok(await reaches(gateway.name, server.ip, 8500), 'the gateway reaches tf-serving');
      assert.equal(await outsiderReaches(one, server.ip, 8500), false, 'tf-serving, gRPC');
      assert.equal(await outsiderReaches(one, server.ip, 8501), false, 'tf-serving, REST');
      assert.equal(await outsiderReaches(one, gateway.ip, 9697), false, 'the admin port of the gateway');
      assert.equal(await reaches(gateway.name, one.ip, PORT), false, 'from the gateway to another namespace');
      assert.equal(await reaches(server.name, one.ip, PORT), false, 'from tf-serving to another namespace');
      assert.equal(await reaches(server.name, gateway.ip, 9696), false, 'from tf-serving to the gateway');
      assert.equal(await reaches(gateway.name, '169.254.169.254', 80), false, 'cloud metadata');
      const api = (
        await run('kubectl', 'get', 'service', 'kubernetes', '--output', 'jsonpath={.spec.clusterIP}')
      ).trim();
      if (await outsiderReaches(noEgress, api, 443)) t.diagnostic('this cluster cannot deny the API server by policy');
      else assert.equal(await reaches(gateway.name, api, 443), false, 'the API server');
    },
  ],
  [
    'the public port has no metrics, admin or debug routes',
    async (_, url) => {
      for (const route of ['/metrics', '/log-level', '/admin', '/debug']) {
        assert.equal((await fetch(`${url}${route}`)).status, 404, route);
      }
      // TF-Serving's REST API answers 400 for a path below a model that it does not know.
      assert.equal((await fetch(`${url}/v1/models/clothing-model/reload`)).status, 400);
    },
  ],
];
