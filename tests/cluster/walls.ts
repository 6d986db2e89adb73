/** What a pod that was taken over could do, and what the outside may see: as little as possible. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { inside, readyPodsOf, run } from './kubectl.ts';

const OUTSIDE = 'tensorgate-outsiders';
const PORT = 8080;

type Outsider = { readonly name: string; readonly ip: string };

/** A pod of another namespace: a web server that can also call others. */
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

/** Nothing leaves the prisoner: where it reaches the API server all the same, no policy can keep anybody from it. */
const PRISON = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'prison', namespace: OUTSIDE },
  spec: { podSelector: { matchLabels: { name: 'prisoner' } }, policyTypes: ['Egress'] },
};

/** Two free pods and a prisoner in a namespace of their own, gone at the end of the test. */
async function outsiders(t: TestContext): Promise<Readonly<Record<'one' | 'two' | 'prisoner', Outsider>>> {
  await run('kubectl', 'create', 'namespace', OUTSIDE);
  t.after(() => run('kubectl', 'delete', 'namespace', OUTSIDE));
  const make = async (name: string): Promise<Outsider> => {
    await run('kubectl', 'wait', '--namespace', OUTSIDE, '--for=condition=Ready', `pod/${name}`, '--timeout=2m');
    const query = ['--namespace', OUTSIDE, '--output', 'jsonpath={.status.podIP}'];
    return { name, ip: await run('kubectl', 'get', 'pod', name, ...query) };
  };
  const objects = { apiVersion: 'v1', kind: 'List', items: [PRISON, ...['one', 'two', 'prisoner'].map(outsider)] };
  await run('bash', '-c', 'kubectl create --filename - <<< "$0"', JSON.stringify(objects));
  const [one, two, prisoner] = await Promise.all([make('one'), make('two'), make('prisoner')]);
  return { one, two, prisoner };
}

const connecting = (host: string, port: number): string =>
  `timeout 3 bash -c 'exec 3<>/dev/tcp/${host}/${port}' && echo open || echo closed`;

/** Whether a connection from a pod of ours opens. */
const reaches = async (pod: string, host: string, port: number): Promise<boolean> =>
  (await inside(pod, connecting(host, port))).endsWith('open');

/** Whether a connection from an outsider opens. */
async function outsiderReaches({ name }: Outsider, host: string, port: number): Promise<boolean> {
  const said = await run('kubectl', 'exec', '--namespace', OUTSIDE, name, '--', 'bash', '-c', connecting(host, port));
  return said.endsWith('open');
}

async function firstOf(name: string) {
  const [pod] = await readyPodsOf(name);
  return pod ?? assert.fail(`no pod of ${name} is ready`);
}

const confined = (name: string) => async () => {
  const { name: pod } = await firstOf(name);
  assert.ok(Number(await inside(pod, 'id -u')) >= 10_000);
  assert.match(await inside(pod, 'touch /here'), /Read-only file system/);
  assert.match(await inside(pod, 'ls /var/run/secrets/kubernetes.io'), /No such file or directory/);
  const status = await inside(pod, 'grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status');
  assert.deepEqual(status.split(/\s+/), ['CapEff:', '0000000000000000', 'NoNewPrivs:', '1', 'Seccomp:', '2']);
};

type Wall = readonly [what: string, check: (t: TestContext, url: string) => Promise<void>];

export const WALLS: readonly Wall[] = [
  ['a gateway is nobody, has nothing to write on and no token', confined('gateway')],
  ['a tf-serving is nobody, has nothing to write on and no token', confined('tf-serving')],
  [
    'only a gateway reaches tf-serving, and each reaches no more than it needs',
    async (t) => {
      const [gateway, server] = await Promise.all([firstOf('gateway'), firstOf('tf-serving')]);
      const { one, two, prisoner } = await outsiders(t);
      // Without these, what is closed below might be closed to anybody.
      assert.ok(await outsiderReaches(one, two.ip, PORT), 'outsiders reach each other');
      assert.ok(await outsiderReaches(one, gateway.ip, 9696), 'the service is open to all');
      assert.ok(await reaches(gateway.name, server.ip, 8500), 'a gateway reaches tf-serving');
      assert.equal(await outsiderReaches(one, server.ip, 8500), false, 'tf-serving, gRPC');
      assert.equal(await outsiderReaches(one, server.ip, 8501), false, 'tf-serving, REST');
      assert.equal(await outsiderReaches(one, gateway.ip, 9697), false, "a gateway's admin port");
      assert.equal(await reaches(gateway.name, one.ip, PORT), false, 'from a gateway to another namespace');
      assert.equal(await reaches(server.name, one.ip, PORT), false, 'from tf-serving to another namespace');
      assert.equal(await reaches(server.name, gateway.ip, 9696), false, 'from tf-serving to a gateway');
      assert.equal(await reaches(gateway.name, '169.254.169.254', 80), false, 'cloud metadata');
      const api = (
        await run('kubectl', 'get', 'service', 'kubernetes', '--output', 'jsonpath={.spec.clusterIP}')
      ).trim();
      if (await outsiderReaches(prisoner, api, 443)) t.diagnostic('here no policy keeps a pod from the API server');
      else assert.equal(await reaches(gateway.name, api, 443), false, 'the API server');
    },
  ],
  [
    'the public port has neither metrics nor an inside',
    async (_, url) => {
      for (const route of ['/metrics', '/log-level', '/admin', '/debug', '/v1/models/clothing-model/reload']) {
        assert.equal((await fetch(`${url}${route}`)).status, 404, route);
      }
    },
  ],
];
