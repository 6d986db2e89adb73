import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createNameServers } from './name-servers.ts';
import { type NameTable, startNameServer } from './test-name-server.ts';

const { signal } = new AbortController();
const thousands = Array.from({ length: 4000 }, (_, i) => `93.184.${i >> 8}.${i & 255}`);

const serverOf = async (...args: Parameters<typeof startNameServer>) => `127.0.0.1:${await startNameServer(...args)}`;

describe('name servers', () => {
  test('A08: of thousands of addresses the first few are read, and the event loop goes on', async (t) => {
    const table: NameTable = { 'many.example': { a: thousands }, 'six.example': { aaaa: Array(2000).fill('2a00::1') } };
    const ask = createNameServers({ servers: [await serverOf(t, table)], timeoutMs: 2000 });
    const found = await ask('many.example', signal);
    assert.deepEqual(
      found.map(({ address }) => address),
      thousands.slice(0, 32),
    );
    assert.equal((await ask('six.example', signal)).length, 32);
    const all = await Promise.all(Array.from({ length: 64 }, () => ask('many.example', signal)));
    assert.ok(all.every(({ length }) => length === 32));
  });

  test('a server that refuses or does not answer is followed by the next one', async (t) => {
    const servers = ['127.0.0.1:1', await serverOf(t, {}), await serverOf(t, { 'a.example': { a: ['8.8.8.8'] } })];
    const ask = createNameServers({ servers, timeoutMs: 100 });
    assert.deepEqual(await ask('a.example', signal), [{ address: '8.8.8.8', family: 4 }]);
  });

  test('A08: an abort ends the wait for a server that is silent', async (t) => {
    const ask = createNameServers({ servers: [await serverOf(t, {})], timeoutMs: 60_000 });
    const gone = new AbortController();
    const asking = Array.from({ length: 100 }, (_, i) => ask(`hang${i}.example`, gone.signal));
    setImmediate(() => gone.abort(new Error('gone')));
    for (const outcome of await Promise.allSettled(asking)) {
      assert.equal(outcome.status === 'rejected' && outcome.reason.message, 'gone');
    }
  });
});
