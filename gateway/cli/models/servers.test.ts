import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startModelServer, XCEPTION } from '../../../tests/model-server.ts';
import { isLoaded, isRolledBack } from './judge.ts';
import { openServers } from './servers.ts';

test('every address behind every name is asked, once', async (t) => {
  const server = await startModelServer({ ...XCEPTION, version: 3, onPredict: () => assert.fail('not asked') });
  t.after(server.close);
  const port = server.target.split(':').at(-1);
  using servers = openServers(`dns:///localhost:${port}, 127.0.0.1:${port},does-not-exist.invalid:8500`);
  assert.deepEqual(await servers.ask('clothing-model'), [
    { address: `127.0.0.1:${port}`, versions: [{ version: 3, state: 'AVAILABLE', error: '' }] },
    { address: 'does-not-exist.invalid:8500', versions: [], trouble: 'cannot be reached' },
  ]);
});

const report = (...versions: [number, 'LOADING' | 'AVAILABLE' | 'UNLOADING' | 'END', string?][]) => ({
  address: 'a:1',
  versions: versions.map(([version, state, error = '']) => ({ version, state, error })),
});

test('a push has arrived when its version is AVAILABLE, and never will when it ended', () => {
  const judge = isLoaded(2);
  assert.deepEqual(judge(report([2, 'AVAILABLE'])), { state: 'reached', text: 'version 2 AVAILABLE' });
  assert.deepEqual(judge(report([2, 'LOADING'])), { state: 'waiting', text: 'version 2 LOADING' });
  const before = { state: 'waiting', text: 'version 2 not seen yet, 1 AVAILABLE' };
  assert.deepEqual(judge(report([1, 'AVAILABLE'])), before);
  assert.deepEqual(judge({ ...report(), trouble: 'cannot be reached' }), {
    state: 'waiting',
    text: 'cannot be reached',
  });
  assert.deepEqual(judge(report([2, 'END', 'bad graph'])), { state: 'failed', text: 'version 2 END: bad graph' });
  const replaced = { state: 'failed', text: 'version 2 END: a newer version took its place' };
  assert.deepEqual(judge(report([3, 'AVAILABLE'], [2, 'END'])), replaced);
});

test('a rollback has arrived when the version before is AVAILABLE and the withdrawn ones are gone', () => {
  const judge = isRolledBack(1, [2, 3]);
  assert.equal(judge(report([3, 'END'], [1, 'AVAILABLE'])).state, 'reached');
  const unloading = { state: 'waiting', text: 'version 1 AVAILABLE, version 3 UNLOADING' };
  assert.deepEqual(judge(report([3, 'UNLOADING'], [1, 'AVAILABLE'])), unloading);
  assert.equal(judge(report([3, 'AVAILABLE'], [1, 'END'])).state, 'waiting');
  assert.equal(judge(report([3, 'END'], [1, 'END', 'gone'])).state, 'failed');
});
