import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../tests/until.ts';
import { createSemaphore } from '../domain/semaphore.ts';
import type { VersionStatus } from '../domain/servable.ts';
import { GatewayError } from '../errors.ts';
import { Discovery } from './discovery.ts';
import { createTurns } from './pace.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} };
const AVAILABLE: VersionStatus = { version: 1, state: 'AVAILABLE', error: '' };

/** Servers with the states of their models, which a test may change. Counts the look-ups of each name. */
function discoveryOf(servers: Record<string, Record<string, VersionStatus[] | GatewayError>>) {
  const lookUps: string[] = [];
  const discovery = new Discovery({
    backend: {
      servers: () => Object.keys(servers),
      async status(model, _signal, server = '') {
        lookUps.push(`${model} ${server}`);
        const found = servers[server]?.[model];
        if (found instanceof GatewayError) throw found;
        if (!found) throw new GatewayError('model_not_found', 'no such model');
        return found;
      },
      metadata: async () => ({
        version: 1,
        protocol: 'tf-serving',
        signatures: new Map([['main', { inputs: [], outputs: [] }]]),
      }),
    },
    prove: () => assert.fail('there are no pictures'),
    explain: async () => undefined,
    unreachable: { reason: async () => '', end() {} },
    turn: createTurns(),
    checks: createSemaphore(8),
    log,
    run: (model) => void model.run(),
  });
  return { discovery, lookUps };
}

test('a model that any server has is found once, with any of its signatures, and is forgotten when it is gone', async (t) => {
  const second: Record<string, VersionStatus[]> = { m: [AVAILABLE] };
  const { discovery, lookUps } = discoveryOf({ a: {}, b: second });
  t.after(() => discovery.stop());
  const [model, same] = await Promise.all([discovery.find('m'), discovery.find('m')]);
  assert.ok(model);
  assert.equal(model, same);
  assert.deepEqual(lookUps.slice(0, 2), ['m a', 'm b']);
  await model.look({ isOutdated: false, over: AbortSignal.timeout(1000) });
  await until(() => model.versions.newest?.version === 1);
  await until(() => discovery.states.get('m')?.problem === undefined);
  assert.equal(await discovery.find('m'), model);
  second.m = [{ ...AVAILABLE, state: 'END' }];
  await until(async () => {
    await model.look({ isOutdated: true, over: AbortSignal.timeout(1000) });
    return discovery.get('m') === undefined;
  });
  assert.equal(await discovery.find('m'), undefined);
});

test('an unknown name costs one look-up; a name that no model can have costs none', async () => {
  const { discovery, lookUps } = discoveryOf({ a: {} });
  for (let request = 0; request < 5; request += 1) assert.equal(await discovery.find('nothing'), undefined);
  assert.deepEqual(lookUps, ['nothing a']);
  for (const name of ['', '../churn', 'gs://bucket/m', 'm'.repeat(201)]) {
    assert.equal(await discovery.find(name), undefined);
  }
  assert.equal(lookUps.length, 1);
});

test('look-ups of unknown names are bounded in rate', async () => {
  const { discovery, lookUps } = discoveryOf({ a: {} });
  const results = await Promise.allSettled(Array.from({ length: 200 }, (_, index) => discovery.find(`m${index}`)));
  const refused = results.filter(({ status }) => status === 'rejected');
  assert.equal(lookUps.length + refused.length, 200);
  assert.ok(lookUps.length >= 40 && lookUps.length <= 60, `${lookUps.length} look-ups`);
  const [first] = refused as PromiseRejectedResult[];
  assert.equal(first?.reason.kind, 'overloaded');
});

test('where a server cannot tell, and none has the model, its failure is the answer', async () => {
  const busy = new GatewayError('model_timeout', 'no answer');
  const { discovery } = discoveryOf({ a: { m: busy, n: busy }, b: { n: [AVAILABLE] } });
  await assert.rejects(discovery.find('m'), { kind: 'model_timeout' });
  assert.ok(await discovery.find('n'));
  discovery.stop();
});

test('at most 64 models are watched: the one that was unused for longest is forgotten', async (t) => {
  const names = Array.from({ length: 65 }, (_, index) => `m${index}`);
  const { discovery } = discoveryOf({ a: Object.fromEntries(names.map((name) => [name, [AVAILABLE]])) });
  t.after(() => discovery.stop());
  for (const name of names.slice(0, 40)) await discovery.find(name);
  await discovery.find('m0');
  for (const name of names.slice(40)) {
    await until(async () => (await discovery.find(name).catch(() => undefined)) !== undefined);
  }
  assert.equal(discovery.states.size, 64);
  assert.ok(discovery.get('m0') && !discovery.get('m1'));
});
