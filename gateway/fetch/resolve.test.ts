import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createHostsFile } from './hosts-file.ts';
import { type AskNameServers, createNameServers } from './name-servers.ts';
import { createLookup, isPrivateName } from './resolve.ts';
import { type NameTable, NO_SUCH_NAME, SERVER_FAILURE, startNameServer } from './test-name-server.ts';

const { signal } = new AbortController();

/** Asks the test's own name server. */
async function askServerOf(t: TestContext, table: NameTable, timeoutMs = 500): Promise<AskNameServers> {
  return createNameServers({ servers: [`127.0.0.1:${await startNameServer(t, table)}`], timeoutMs });
}

const noHosts = async () => undefined;

describe('the default lookup', () => {
  test('returns all addresses of a name, IPv4 first', async (t) => {
    const both = { a: ['8.8.8.8'], aaaa: ['2a00::1'] };
    const lookup = createLookup(
      await askServerOf(t, { 'both.example': both, 'four.example': { a: ['8.8.4.4'] } }),
      noHosts,
    );
    assert.deepEqual(await lookup('both.example', signal), [
      { address: '8.8.8.8', family: 4 },
      { address: '2a00::1', family: 6 },
    ]);
    assert.deepEqual(await lookup('four.example', signal), [{ address: '8.8.4.4', family: 4 }]);
  });

  test('B4: rejects for a name that does not exist, has no address, or whose server fails', async (t) => {
    const table = {
      'dead.example': { code: NO_SUCH_NAME },
      'bare.example': {},
      'ill.example': { code: SERVER_FAILURE },
    };
    const lookup = createLookup(await askServerOf(t, table), noHosts);
    await assert.rejects(lookup('dead.example', signal), { code: 'ENOTFOUND' });
    await assert.rejects(lookup('bare.example', signal), { code: 'ENODATA' });
    await assert.rejects(lookup('ill.example', signal), { code: 'ESERVFAIL' });
  });

  test('B4: fifty names whose servers hang do not delay another name', async (t) => {
    const lookup = createLookup(await askServerOf(t, { 'good.example': { a: ['8.8.8.8'] } }), noHosts);
    const hanging = Array.from({ length: 50 }, (_, i) => lookup(`hang${i}.example`, signal));
    const good = lookup('good.example', signal);
    assert.deepEqual(await Promise.race([good, ...hanging]), [{ address: '8.8.8.8', family: 4 }]);
    const outcomes = await Promise.allSettled(hanging);
    assert.ok(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason.code === 'ETIMEOUT'));
  });

  test("uses the system's resolver for private names, hosts file included", async () => {
    const unused = () => assert.fail('a name server was asked');
    const answers = await createLookup(unused, noHosts)('localhost', signal);
    assert.ok(answers.some(({ address }) => address === '127.0.0.1' || address === '::1'));
  });
});

test('C17 (18): names of the hosts file are found, before DNS is asked', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'hosts-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'hosts');
  const lines = [
    '# by hand',
    '10.1.2.3\tImg.example.test img  # photos',
    '::1 img.example.test',
    'fe80::1%lo zone.example',
  ];
  await writeFile(file, `${lines.join('\r\n')}\r\nnonsense\r\n`);
  const table = { 'img.example.test': { a: ['8.8.8.8'] }, 'zone.example': { a: ['8.8.4.4'] } };
  const lookup = createLookup(await askServerOf(t, table), createHostsFile(file));
  assert.deepEqual(await lookup('img.example.test', signal), [
    { address: '10.1.2.3', family: 4 },
    { address: '::1', family: 6 },
  ]);
  assert.deepEqual(await lookup('zone.example', signal), [{ address: '8.8.4.4', family: 4 }]);
  assert.equal(await createHostsFile(path.join(folder, 'missing'))('img.example.test'), undefined);
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
