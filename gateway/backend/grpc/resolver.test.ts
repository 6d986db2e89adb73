import assert from 'node:assert/strict';
import { promises as dns, type LookupAddress } from 'node:dns';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { experimental } from '@grpc/grpc-js';
import { ANSWER, connect, predict } from '../../../tests/backend.ts';
import { startModelServer, XCEPTION } from '../../../tests/model-server.ts';
import { openClient } from './channel.ts';
import { BackendsResolver, parseBackends } from './resolver.ts';

const REFRESH_MS = 3000;

test('all forms of TF_SERVING_HOST are parsed', () => {
  const dnsName = (path: string) => ({ scheme: 'dns', path });
  const unix = (path: string) => ({ scheme: 'unix', path });
  assert.deepEqual(parseBackends('localhost:8500'), [dnsName('localhost:8500')]);
  assert.deepEqual(parseBackends('a:1, b.example.:65535'), [dnsName('a:1'), dnsName('b.example.:65535')]);
  assert.deepEqual(parseBackends('dns:///models.default.svc:8500'), [dnsName('models.default.svc:8500')]);
  assert.deepEqual(parseBackends('dns:models:8500'), [dnsName('models:8500')]);
  assert.deepEqual(parseBackends('10.0.0.1:8500,[::1]:8500'), [dnsName('10.0.0.1:8500'), dnsName('[::1]:8500')]);
  assert.deepEqual(parseBackends('unix:/run/model.sock'), [unix('/run/model.sock')]);
  assert.deepEqual(parseBackends('unix:///run/model.sock'), [unix('/run/model.sock')]);
  assert.deepEqual(parseBackends('unix:model.sock,a:1'), [unix('model.sock'), dnsName('a:1')]);
});

const UNREADABLE = [
  '',
  'a',
  'a:',
  'a:0',
  'a:65536',
  'a:1,',
  ':8500',
  'a b:1',
  '::1:8500',
  'http://a:1',
  'a:1/x',
  'unix:',
];
for (const text of UNREADABLE) {
  test(`"${text}" is refused at startup with the allowed forms`, () => {
    assert.throws(() => openClient(text), /is not host:port, dns:\/\/\/name:port or unix:\/path$/);
  });
}

type Zone = Record<string, readonly string[]>;

/** Replaces the system's DNS by names that the test can change. */
function useZone(t: TestContext, zone: Zone): { lookups: number } {
  const seen = { lookups: 0 };
  t.mock.method(dns, 'lookup', async (name: string): Promise<LookupAddress[]> => {
    seen.lookups += 1;
    const addresses = zone[name];
    if (!addresses) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
    return addresses.map((address) => ({ address, family: 4 }));
  });
  return seen;
}

function addressesOf({ addresses }: experimental.Endpoint): string {
  return addresses.map(experimental.subchannelAddressToString).join('|');
}

/** Starts a resolver; `lists` records what it reported: addresses, or 'error'. */
function resolve(t: TestContext, path: string) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const lists: string[] = [];
  experimental.registerResolver('backends', BackendsResolver);
  const resolver = experimental.createResolver(
    { scheme: 'backends', path },
    (result) => {
      lists.push(result.ok ? result.value.map(addressesOf).sort().join() : 'error');
      return true;
    },
    // As in the channel, but without pauses between lookups.
    {
      'grpc.service_config_disable_resolution': 1,
      'grpc.dns_min_time_between_resolutions_ms': 0,
      'grpc.initial_reconnect_backoff_ms': 1,
      'grpc.max_reconnect_backoff_ms': 1,
    },
  );
  t.after(() => resolver.destroy());
  resolver.updateResolution();
  return { lists, resolver };
}

async function refresh(t: TestContext): Promise<void> {
  await sleep(10);
  t.mock.timers.tick(REFRESH_MS);
  await sleep(10);
}

test('several names become one list with each address once', async (t) => {
  useZone(t, { one: ['10.0.0.1', '10.0.0.2'], two: ['10.0.0.2', '10.0.0.3'] });
  const { lists } = resolve(t, 'one:8500,two:8500,10.0.0.4:8501');
  await refresh(t);
  assert.equal(lists.at(-1), '10.0.0.1:8500,10.0.0.2:8500,10.0.0.3:8500,10.0.0.4:8501');
});

test('E11: new pods are found without a connection ending, and an unchanged list is not reported again', async (t) => {
  const zone: Zone = { models: ['10.0.0.1'] };
  const seen = useZone(t, zone);
  const { lists } = resolve(t, 'models:8500');
  await refresh(t);
  await refresh(t);
  assert.deepEqual(lists, ['10.0.0.1:8500']);
  zone.models = ['10.0.0.2', '10.0.0.1'];
  await refresh(t);
  zone.models = ['10.0.0.1', '10.0.0.2'];
  await refresh(t);
  assert.deepEqual(lists, ['10.0.0.1:8500', '10.0.0.1:8500,10.0.0.2:8500']);
  assert.equal(seen.lookups, 5, 'one at the start, one per refresh');
});

test('E11, E12: one pod becomes five, which share evenly; if DNS loses the name, they stay in use', async (t) => {
  const hosts = [1, 2, 3, 4, 5].map((last) => `127.0.0.${last}`);
  const first = await startModelServer({ ...XCEPTION, onPredict: () => ANSWER });
  const port = Number(first.target.split(':')[1]);
  const servers = [first];
  t.after(() => servers.forEach((server) => void server.close()));
  for (const host of hosts.slice(1))
    servers.push(await startModelServer({ ...XCEPTION, onPredict: () => ANSWER }, port, host));
  const zone: Zone = { models: hosts.slice(0, 1) };
  const seen = useZone(t, zone);
  const { backend } = await connect(t, `dns:///models:${port}`);
  const startMs = performance.now();
  for (let round = 0; round < 20; round += 1) await predict(backend);
  assert.equal(first.calls.length, 20);

  zone.models = hosts;
  while (servers.some(({ calls }) => calls.length === 0) && performance.now() < startMs + 30_000) {
    await predict(backend);
    await sleep(20);
  }
  const tookMs = performance.now() - startMs;
  delete zone.models;
  for (const { lookups } = { ...seen }; seen.lookups === lookups; ) await sleep(50);
  const before = servers.map(({ calls }) => calls.length);
  for (let round = 0; round < 250; round += 1) await predict(backend);
  const shares = servers.map(({ calls }, index) => calls.length - (before[index] ?? 0));
  t.diagnostic(`came: all five asked after ${tookMs.toFixed()} ms, then ${shares} of 250; ${seen.lookups} lookups`);
  assert.ok(Math.min(...shares) >= 40, `${shares} of 250`);
  assert.ok(seen.lookups <= 2 + (performance.now() - startMs) / 1000, `${seen.lookups} lookups`);
});

test('E12: addresses are kept when DNS loses the name', async (t) => {
  const zone: Zone = { models: ['10.0.0.1'], others: ['10.0.0.9'] };
  useZone(t, zone);
  const { lists } = resolve(t, 'models:8500,others:8500');
  await refresh(t);
  const before = lists.length;
  delete zone.models;
  await refresh(t);
  await refresh(t);
  assert.equal(lists.length, before);
});

test('a name that is unknown at startup is looked up again', async (t) => {
  const zone: Zone = {};
  useZone(t, zone);
  const { lists } = resolve(t, 'models:8500');
  await refresh(t);
  assert.equal(lists[0], 'error');
  zone.models = ['10.0.0.1'];
  await refresh(t);
  assert.equal(lists.at(-1), '10.0.0.1:8500');
});

test('a destroyed resolver stops lookups, and reports the list again when it is updated', async (t) => {
  const seen = useZone(t, { models: ['10.0.0.1'] });
  const { lists, resolver } = resolve(t, 'models:8500');
  await refresh(t);
  resolver.destroy();
  const { lookups } = seen;
  await refresh(t);
  assert.equal(seen.lookups, lookups);
  resolver.updateResolution();
  await refresh(t);
  assert.deepEqual(lists, ['10.0.0.1:8500', '10.0.0.1:8500']);
});
