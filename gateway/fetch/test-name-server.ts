/** A DNS server for tests. It answers from a table of names; an answer can change from query to query. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import type { TestContext } from 'node:test';
import ipaddr from 'ipaddr.js';

const [A, AAAA] = [1, 28];
const [MAX_UDP_BYTES, TRUNCATED] = [512, 0x0200];
export const [NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME] = [0, 2, 3];

/** The answer for a name: its addresses, or a response code (RFC 1035, 4.1.1). */
export type NameAnswer = { readonly code?: number; readonly a?: readonly string[]; readonly aaaa?: readonly string[] };

/** A function is called once per lookup, at the query for IPv4 addresses. It cannot give IPv6 addresses. */
export type NameTable = Readonly<Record<string, NameAnswer | (() => NameAnswer)>>;

type Question = { readonly name: string; readonly type: number; readonly bytes: Buffer };

/**
 * Starts the server for one test, on a free port by default. Queries for names outside the table get no answer. An answer
 * above 512 bytes is truncated, without addresses, and sent over TCP.
 */
export async function startNameServer(t: TestContext, table: NameTable, port = 0): Promise<number> {
  const answerTo = (query: Buffer) => {
    const question = readQuestion(query);
    const entry = Object.hasOwn(table, question.name) ? table[question.name] : undefined;
    if (!entry) return undefined;
    return writeAnswer(query, question, typeof entry === 'object' ? entry : question.type === A ? entry() : {});
  };
  const server = net.createServer((peer) => {
    peer.on('error', () => {}); // the gateway reads the first records only
    peer.once('data', (framed) => {
      const answer = answerTo(framed.subarray(2)) ?? Buffer.alloc(0);
      peer.end(Buffer.concat([Buffer.of(answer.length >> 8, answer.length & 255), answer]));
    });
  });
  const socket = await bindBoth(server, port);
  socket.on('message', (query, peer) => {
    const answer = answerTo(query);
    if (answer) socket.send(answer.length > MAX_UDP_BYTES ? truncated(answer, query) : answer, peer.port, peer.address);
  });
  t.after(() => {
    socket.close();
    server.close();
  });
  return socket.address().port;
}

/** Binds UDP and TCP to the same port. A free port of UDP may be taken for TCP: then another one is tried. */
async function bindBoth(server: net.Server, port: number): Promise<dgram.Socket> {
  for (;;) {
    const socket = dgram.createSocket('udp4');
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    server.listen(socket.address().port, '127.0.0.1');
    try {
      await once(server, 'listening');
      return socket;
    } catch (thrown) {
      socket.close();
      if (port !== 0 || (thrown as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw thrown;
    }
  }
}

/** The same answer without its records, and with the flag that there are more. */
function truncated(answer: Buffer, query: Buffer): Buffer {
  const head = Buffer.from(answer.subarray(0, query.length));
  head.writeUInt16BE(head.readUInt16BE(2) | TRUNCATED, 2);
  head.writeUInt16BE(0, 6);
  return head;
}

/** RFC 1035, 4.1.2. */
function readQuestion(query: Buffer): Question {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), bytes: query.subarray(12, at + 5) };
}

function writeAnswer(query: Buffer, { type, bytes }: Question, { code = NO_ERROR, a, aaaa }: NameAnswer): Buffer {
  const addresses = (type === A ? a : type === AAAA ? aaaa : undefined) ?? [];
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) => {
    const data = ipaddr.parse(address).toByteArray();
    return Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length, ...data]);
  });
  return Buffer.concat([head, bytes, ...records]);
}
