import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../errors.ts';
import { Labels } from './labels.ts';

/** Labels over servers, each with its own labels; `asked` records the look-ups. */
function labelsOf(servers: Readonly<Record<string, Readonly<Record<string, number>>>>) {
  const asked: string[] = [];
  const backend = {
    servers: () => Object.keys(servers),
    async metadata({ label = '' }, _signal: AbortSignal, server = '') {
      asked.push(server);
      const version = servers[server]?.[label];
      if (version === undefined) throw new GatewayError('internal', 'Unrecognized servable version label');
      return { version, protocol: 'tf-serving' as const, signatures: new Map() };
    },
  };
  return { labels: new Labels(backend, 'm'), asked };
}

test('A10: a label is read from the first server that has it, once for all requests of a moment', async () => {
  const { labels, asked } = labelsOf({ b: { stable: 2 }, a: {}, c: { stable: 1 } });
  assert.deepEqual(await Promise.all([labels.version('stable'), labels.version('stable')]), [2, 2]);
  assert.deepEqual(asked, ['a', 'b']);
  labels.forget('stable');
  await labels.version('stable');
  assert.deepEqual(asked, ['a', 'b', 'a', 'b']);
});

test('A10: an unknown label is not kept, and names from requests are not kept without a bound', async () => {
  const known = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`l${index}`, index]));
  const { labels, asked } = labelsOf({ a: known });
  for (let round = 0; round < 2; round += 1) {
    await assert.rejects(labels.version('gone'), { kind: 'model_not_found' });
  }
  assert.equal(asked.length, 2);
  for (const label of Object.keys(known)) await labels.version(label);
  await labels.version('l39');
  assert.equal(asked.length, 42);
  await labels.version('l0');
  assert.equal(asked.length, 43);
});

test('A10: servers that are too busy to tell keep a label as it was', async (t) => {
  const { labels, asked } = labelsOf({ a: { stable: 3 } });
  const busy = () => Promise.reject(new GatewayError('model_timeout', ''));
  assert.equal(await labels.version('stable'), 3);
  const { now } = performance;
  t.mock.method(performance, 'now', () => now.call(performance) + 1500);
  assert.equal(await labels.version('stable'), 3);
  assert.equal(asked.length, 2);
  const stuck = new Labels({ servers: () => ['a'], metadata: busy }, 'm');
  await assert.rejects(stuck.version('stable'), { kind: 'model_timeout' });
});
