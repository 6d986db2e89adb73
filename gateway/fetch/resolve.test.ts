import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { promises as dns } from 'node:dns';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { createLookup, isPrivateName } from './resolve.ts';

const [A, AAAA] = [1, 28];
const [NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME] = [0, 2, 3];

type Answer = { readonly code?: number; readonly a?: readonly number[]; readonly aaaa?: readonly number[] };

/** A real name server on loopback: a table of names; a name that is not in it never gets an answer. */
async function startNameServer(t: TestContext, table: Readonly<Record<string, Answer>>): Promise<dns.Resolver> {
  const socket = dgram.createSocket('udp4');
  socket.on('message', (query, peer) => {
    const { name, type, question } = readQuestion(query);
    const answer = table[name];
    if (answer) socket.send(writeAnswer(query, question, type, answer), peer.port, peer.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  const resolver = new dns.Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return resolver;
}

/** RFC 1035, 4.1.2. */
function readQuestion(query: Buffer): { name: string; type: number; question: Buffer } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return {
    name: labels.join('.').toLowerCase(),
    type: query.readUInt16BE(at + 1),
    question: query.subarray(12, at + 5),
  };
}

function writeAnswer(query: Buffer, question: Buffer, type: number, { code = NO_ERROR, a, aaaa }: Answer): Buffer {
  const data = type === A ? a : type === AAAA ? aaaa : undefined;
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(data ? 1 : 0, 6);
  const record = data ? Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length, ...data]) : Buffer.alloc(0);
  return Buffer.concat([head, question, record]);
}

describe('the default lookup', () => {
  test('gives all addresses of a name, IPv4 first', async (t) => {
    const both = { a: [8, 8, 8, 8], aaaa: [0x2a, 0, ...Array(13).fill(0), 1] };
    const lookup = createLookup(
      await startNameServer(t, { 'both.example': both, 'four.example': { a: [8, 8, 4, 4] } }),
    );
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
    const lookup = createLookup(await startNameServer(t, table));
    await assert.rejects(lookup('dead.example', { all: true }), { code: 'ENOTFOUND' });
    await assert.rejects(lookup('bare.example', { all: true }), { code: 'ENODATA' });
    await assert.rejects(lookup('ill.example', { all: true }), { code: 'ESERVFAIL' });
  });

  test('B4: fifty names whose servers hang do not hold up the next name', async (t) => {
    const lookup = createLookup(await startNameServer(t, { 'good.example': { a: [8, 8, 8, 8] } }));
    const hanging = Array.from({ length: 50 }, (_, i) => lookup(`hang${i}.example`, { all: true }));
    const good = lookup('good.example', { all: true });
    assert.deepEqual(await Promise.race([good, ...hanging]), [{ address: '8.8.8.8', family: 4 }]);
    const outcomes = await Promise.allSettled(hanging);
    assert.ok(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason.code === 'ETIMEOUT'));
  });

  test('asks the system, hosts file included, for private names', async () => {
    const deaf = new dns.Resolver({ timeout: 10, tries: 1 });
    const answers = await createLookup(deaf)('localhost', { all: true });
    assert.ok(answers.some(({ address }) => address === '127.0.0.1' || address === '::1'));
  });
});

test('private names are those that public DNS cannot hold', () => {
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
