import assert from 'node:assert/strict';
import { promises as dns } from 'node:dns';
import { describe, type TestContext, test } from 'node:test';
import { createLookup, isPrivateName } from './resolve.ts';
import { type NameTable, NO_SUCH_NAME, SERVER_FAILURE, startNameServer } from './test-name-server.ts';

/** A resolver that queries the test's own name server. */
async function resolverOf(t: TestContext, table: NameTable): Promise<dns.Resolver> {
  const resolver = new dns.Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`127.0.0.1:${await startNameServer(t, table)}`]);
  return resolver;
}

describe('the default lookup', () => {
  test('returns all addresses of a name, IPv4 first', async (t) => {
    const both = { a: ['8.8.8.8'], aaaa: ['2a00::1'] };
    const lookup = createLookup(await resolverOf(t, { 'both.example': both, 'four.example': { a: ['8.8.4.4'] } }));
    assert.deepEqual(await lookup('both.example', { all: true }), [
      { address: '8.8.8.8', family: 4 },
      { address: '2a00::1', family: 6 },
    ]);
    assert.deepEqual(await lookup('four.example', { all: true }), [{ address: '8.8.4.4', family: 4 }]);
  });

  test('B4: rejects for a name that does not exist, has no address, or whose server fails', async (t) => {
    const table = {
      'dead.example': { code: NO_SUCH_NAME },
      'bare.example': {},
      'ill.example': { code: SERVER_FAILURE },
    };
    const lookup = createLookup(await resolverOf(t, table));
    await assert.rejects(lookup('dead.example', { all: true }), { code: 'ENOTFOUND' });
    await assert.rejects(lookup('bare.example', { all: true }), { code: 'ENODATA' });
    await assert.rejects(lookup('ill.example', { all: true }), { code: 'ESERVFAIL' });
  });

  test('B4: fifty names whose servers hang do not delay another name', async (t) => {
    const lookup = createLookup(await resolverOf(t, { 'good.example': { a: ['8.8.8.8'] } }));
    const hanging = Array.from({ length: 50 }, (_, i) => lookup(`hang${i}.example`, { all: true }));
    const good = lookup('good.example', { all: true });
    assert.deepEqual(await Promise.race([good, ...hanging]), [{ address: '8.8.8.8', family: 4 }]);
    const outcomes = await Promise.allSettled(hanging);
    assert.ok(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason.code === 'ETIMEOUT'));
  });

  test("uses the system's resolver for private names, hosts file included", async () => {
    const unused = new dns.Resolver({ timeout: 10, tries: 1 });
    const answers = await createLookup(unused)('localhost', { all: true });
    assert.ok(answers.some(({ address }) => address === '127.0.0.1' || address === '::1'));
  });
});

test('private names are those that public DNS cannot have', () => {
  for (const name of [
    'localhost',
    'model',
    'a.localhost',
    'printer.local',
    'x.internal',
    'a.b.svc',
    'a.svc.cluster.local',
  ]) {
    assert.equal(isPrivateName(name), true, name);
  }
  for (const name of ['example.com', 'localhost.example.com', 'mylocal.com', '127.0.0.1', '::1', 'internal.dev']) {
    assert.equal(isPrivateName(name), false, name);
  }
});
