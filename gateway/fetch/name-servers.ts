/**
 * Asks name servers for addresses, as a stub resolver does (RFC 1034, 5.3.1). Node's own resolver reads an answer of
 * thousands of addresses for 160 ms in the event loop; this one reads the first records only.
 */
import { promises as dns, type LookupAddress } from 'node:dns';
import { connect, type Socket } from 'node:net';
import { A, AAAA, type Answer, readAnswer, writeQuery } from './dns-message.ts';
import { UdpQueries } from './udp-queries.ts';
import { inTime, unlessAborted } from './wait.ts';

export type NameServersOptions = {
  /** Addresses, with `:PORT` for others than 53. Default: those of the system (resolv.conf). */
  readonly servers?: readonly string[];
  /** Timeout of one query to one server. */
  readonly timeoutMs: number;
};

/** All addresses of a name, IPv4 first. Throws an Error with `code` if it has none, as Node's resolver does. */
export type AskNameServers = (host: string, signal: AbortSignal) => Promise<LookupAddress[]>;

/** How often each server is asked. */
const ROUNDS = 2;
/** What is read of an answer over TCP. The records that are looked at take less. */
const MAX_TCP_BYTES = 4096;

const [SUCCESS, NO_SUCH_NAME] = [0, 3];
/** The codes of Node's resolver for response codes (RFC 1035, 4.1.1). */
const CODES: Readonly<Record<number, string>> = { 1: 'EFORMERR', 2: 'ESERVFAIL', 3: 'ENOTFOUND', 4: 'ENOTIMP' };

type Server = { readonly host: string; readonly port: number; readonly udp: UdpQueries };

/** Creates the resolver. Each server is asked twice, until one answers. */
export function createNameServers({ servers = dns.getServers(), timeoutMs }: NameServersOptions): AskNameServers {
  const parsed = servers.map(parseServer);
  return async (host, signal) => {
    const [v4, v6] = await Promise.allSettled(
      [A, AAAA].map((type) => askInTurn(parsed, writeQuery(host, type), timeoutMs, signal)),
    );
    const found = [...addressesOf(v4, 4), ...addressesOf(v6, 6)];
    if (found.length > 0) return found;
    throw v4?.status === 'rejected' ? v4.reason : failure('ENODATA');
  };
}

const addressesOf = (outcome: PromiseSettledResult<readonly string[]> | undefined, family: number) =>
  (outcome?.status === 'fulfilled' ? outcome.value : []).map((address) => ({ address, family }));

async function askInTurn(
  servers: readonly Server[],
  query: Buffer,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  let last: unknown = failure('ENODATA');
  const turns = Array.from({ length: ROUNDS }, () => servers).flat();
  for (const server of turns) {
    const limit = { timeoutMs, signal, timedOut: () => failure('ETIMEOUT') };
    try {
      const { code, addresses } = await inTime(limit, (either) => ask(server, query, either));
      if (code === SUCCESS) return addresses;
      last = failure(CODES[code] ?? 'EREFUSED');
      if (code === NO_SUCH_NAME) break;
    } catch (error) {
      signal.throwIfAborted();
      last = error;
    }
  }
  throw last;
}

/** Asks over UDP, and again over TCP if none of the addresses fits into the answer. */
async function ask(server: Server, query: Buffer, signal: AbortSignal): Promise<Answer> {
  const answer = await server.udp.ask(query, signal);
  return answer.isTruncated && answer.addresses.length === 0 ? askOverTcp(server, query, signal) : answer;
}

/** Over TCP a message has its length before it (RFC 1035, 4.2.2). */
async function askOverTcp({ host, port }: Server, query: Buffer, signal: AbortSignal): Promise<Answer> {
  const socket = connect({ host, port });
  socket.write(Buffer.concat([Buffer.of(0, query.length), query]));
  try {
    const answer = readAnswer(await unlessAborted(signal, receiveMessage(socket)), query);
    if (answer) return answer;
    throw failure('EBADRESP');
  } finally {
    socket.destroy();
  }
}

async function receiveMessage(socket: Socket): Promise<Buffer> {
  let received: Buffer = Buffer.alloc(0);
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk]);
    const end = received.length < 2 ? 2 : 2 + Math.min(received.readUInt16BE(0), MAX_TCP_BYTES);
    if (received.length >= end && end > 2) return received.subarray(2, end);
  }
  throw failure('EOF');
}

/** Parses an address of `dns.getServers`: `1.2.3.4`, `1.2.3.4:5353`, `::1`, `[::1]:5353`. */
function parseServer(text: string): Server {
  const [, v6, v4, given = 53] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  const [host, port] = [v6 ?? v4 ?? text, Number(given)];
  return { host, port, udp: new UdpQueries(host, port) };
}

const failure = (code: string) => Object.assign(new Error(`DNS: ${code}`), { code });
