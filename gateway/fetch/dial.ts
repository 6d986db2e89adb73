/** One guarded GET: resolve the name once, check every answer, connect to a checked address and to no other. */
import { promises as dns, type LookupAddress } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { sourceTimeout } from './failure.ts';
import type { Guard } from './guard.ts';
import { createLookup, type Lookup } from './resolve.ts';
import { hostOf } from './source-url.ts';
import { inTime, unlessAborted } from './wait.ts';

/** Is told what happens on the way, for an operator to see; decides nothing. */
export type FetchWatch = {
  /** A URL is next: the one given, or where a redirect leads. */
  asked(url: URL): void;
  /** All addresses of its host, before any of them is judged. */
  resolved(addresses: readonly string[], url: URL): void;
  /** The answer's head. */
  answered(response: http.IncomingMessage): void;
};

export type DialOptions = {
  /** For a name's lookup, and once more for TCP and TLS together. */
  readonly connectTimeoutMs: number;
  /** Connections to one host and port at once; further requests wait within their own time limit. */
  readonly maxSockets: number;
  readonly userAgent: string;
  /** How names become addresses; the default asks DNS. */
  readonly lookup?: Lookup;
  readonly watch?: FetchWatch;
};

export type Dialer = {
  /**
   * Sends a GET and resolves with the answer's head; the caller reads the body or destroys it. Throws Refusal where the
   * guard says no, `source_timeout` where no connection came about in time, and else what the network said.
   */
  get(url: URL, signal: AbortSignal): Promise<http.IncomingMessage>;
  close(): void;
};

const MAX_HEADER_BYTES = 16 * 1024;
/** Below the 5 s after which common servers hang up, so that a request seldom meets a connection that is closing. */
const IDLE_TIMEOUT_MS = 4000;

export function createDialer(guard: Pick<Guard, 'checkAddress'>, options: DialOptions): Dialer {
  const { connectTimeoutMs, maxSockets, userAgent } = options;
  const lookup = options.lookup ?? createLookup(new dns.Resolver({ timeout: connectTimeoutMs / 4, tries: 2 }));
  // Agents of our own: the global ones would follow HTTP_PROXY under NODE_USE_ENV_PROXY.
  const pool = { keepAlive: true, maxSockets, maxFreeSockets: maxSockets, timeout: IDLE_TIMEOUT_MS };
  const agents = { http: new http.Agent(pool), https: new https.Agent(pool) };
  const headers = { 'user-agent': userAgent, accept: '*/*', 'accept-encoding': 'identity' };

  /** All of a host's addresses, every one of them checked. An address literal is its own answer. */
  async function checkedAddresses(url: URL, signal: AbortSignal): Promise<LookupAddress[]> {
    const host = hostOf(url);
    const family = isIP(host);
    const answers = family === 0 ? await resolve(host, signal) : [{ address: host, family }];
    if (answers.length === 0) throw new Error(`${host} has no address`);
    options.watch?.resolved(
      answers.map(({ address }) => address),
      url,
    );
    for (const { address } of answers) guard.checkAddress(address, url);
    return answers;
  }

  function resolve(host: string, signal: AbortSignal): Promise<LookupAddress[]> {
    return unlessAborted(signal, inTime(connectTimeoutMs, lookup(host, { all: true })));
  }

  async function send(url: URL, answers: LookupAddress[], signal: AbortSignal): Promise<http.IncomingMessage> {
    // The socket dials one of the checked answers; a second lookup could say something else (DNS rebinding).
    const pinned: LookupFunction = (_host, _options, done) => done(null, answers);
    const wire = { headers, signal, lookup: pinned, autoSelectFamily: true, maxHeaderSize: MAX_HEADER_BYTES };
    const isSecure = url.protocol === 'https:';
    const request = isSecure
      ? https.get(url, { ...wire, agent: agents.https })
      : http.get(url, { ...wire, agent: agents.http });
    request.once('socket', (socket) => watchConnection(request, socket, isSecure ? 'secureConnect' : 'connect', url));
    try {
      // Aborting a request that still waits for a connection tells nobody, so the signal is heard here as well.
      return await unlessAborted(signal, answerTo(request));
    } catch (error) {
      // A kept connection that the server had just closed says nothing about the source: ask again, as Node's manual has it.
      const isStale = request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
      if (isStale) return send(url, answers, signal);
      throw error;
    }
  }

  /** Bounds the time to connect, then checks once more, by the socket's own word, whom it is connected to. */
  function watchConnection(request: http.ClientRequest, socket: Socket, ready: string, url: URL): void {
    const verify = () => {
      try {
        if (socket.remoteAddress !== undefined) guard.checkAddress(socket.remoteAddress, url);
      } catch (refusal) {
        request.destroy(refusal as Error);
      }
    };
    if (!socket.connecting) {
      verify();
      return;
    }
    const timer = setTimeout(() => request.destroy(sourceTimeout()), connectTimeoutMs);
    request.once('close', () => clearTimeout(timer));
    socket.once(ready, () => {
      clearTimeout(timer);
      verify();
    });
  }

  return {
    async get(url, signal) {
      signal.throwIfAborted();
      return send(url, await checkedAddresses(url, signal), signal);
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/** The head of the answer. A request may end without answer and without error: a server can switch protocols unasked. */
function answerTo(request: http.ClientRequest): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const unanswered = () => reject(new Error('the connection ended without an answer'));
  request.once('close', unanswered);
  request.on('error', reject);
  request.once('response', (response) => {
    request.off('close', unanswered);
    resolve(response);
  });
  return promise;
}
