import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startModelServer, XCEPTION } from '../../../tests/model-server.ts';
import { pushGoal, rollbackGoal } from './goals.ts';
import { openServers } from './servers.ts';

test('every address of every name is asked once', async (t) => {
  const server = await startModelServer({ ...XCEPTION, version: 3, onPredict: () => assert.fail('not asked') });
  t.after(server.close);
  const port = server.target.split(':').at(-1);
  const host = `dns:///localhost:${port}, 127.0.0.1:${port},does-not-exist.invalid:8500`;
  using servers = openServers({ host, protocol: 'tf-serving' });
  assert.deepEqual(await servers.ask('clothing-model'), [
    { address: `127.0.0.1:${port}`, versions: [{ version: 3, state: 'AVAILABLE', error: '' }] },
    { address: 'does-not-exist.invalid:8500', versions: [], trouble: 'cannot be reached' },
  ]);
});

const report = (...versions: [number, 'LOADING' | 'AVAILABLE' | 'UNLOADING' | 'END', string?][]) => ({
  address: 'a:1',
  versions: versions.map(([version, state, error = '']) => ({ version, state, error })),
});

test('a push reaches its goal when its version is AVAILABLE, and fails when it is END', () => {
  const goal = pushGoal(2);
  assert.deepEqual(goal(report([2, 'AVAILABLE'])), { state: 'reached', text: 'version 2 AVAILABLE' });
  assert.deepEqual(goal(report([2, 'LOADING'])), { state: 'waiting', text: 'version 2 LOADING' });
  const before = { state: 'waiting', text: 'version 2 not seen yet, 1 AVAILABLE' };
  assert.deepEqual(goal(report([1, 'AVAILABLE'])), before);
  assert.deepEqual(goal({ ...report(), trouble: 'cannot be reached' }), {
    state: 'waiting',
    text: 'cannot be reached',
  });
  assert.deepEqual(goal(report([2, 'END', 'bad graph'])), { state: 'failed', text: 'version 2 END: bad graph' });
  const replaced = { state: 'failed', text: 'version 2 END: a newer version took its place' };
  assert.deepEqual(goal(report([3, 'AVAILABLE'], [2, 'END'])), replaced);
});

test('a rollback reaches its goal when the version before is AVAILABLE and the withdrawn ones are unloaded', () => {
  const goal = rollbackGoal(1, [2, 3]);
  assert.equal(goal(report([3, 'END'], [1, 'AVAILABLE'])).state, 'reached');
  const unloading = { state: 'waiting', text: 'version 1 AVAILABLE, version 3 UNLOADING' };
  assert.deepEqual(goal(report([3, 'UNLOADING'], [1, 'AVAILABLE'])), unloading);
  assert.equal(goal(report([3, 'AVAILABLE'], [1, 'END'])).state, 'waiting');
  assert.equal(goal(report([3, 'END'], [1, 'END', 'gone'])).state, 'failed');
});
