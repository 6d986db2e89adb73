/** One guarded GET: resolve the name once, check every address, connect to one of the checked addresses only. */
import { promises as dns, type LookupAddress } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { checkConnection, responseTo } from './connection.ts';
import type { Guard } from './guard.ts';
import { createLookup, type Lookup } from './resolve.ts';
import { hostOf } from './source-url.ts';
import { unlessAborted, withTimeout } from './wait.ts';

/** Callbacks on the steps of a fetch, to show them to an operator. They decide nothing. */
export type FetchWatch = {
  /** A URL is about to be requested: the one given, or the target of a redirect. */
  asked(url: URL): void;
  /** All addresses of the URL's host, before any is checked. */
  resolved(addresses: readonly string[], url: URL): void;
  /** The head of the response. */
  answered(response: http.IncomingMessage): void;
};

export type DialOptions = {
  /** Timeout of a name's lookup, and again of TCP and TLS together. */
  readonly connectTimeoutMs: number;
  /** Connections to one host and port at once. Further requests wait, within their own timeout. */
  readonly maxSockets: number;
  readonly userAgent: string;
  /** Resolves a name to addresses. Default: DNS. */
  readonly lookup?: Lookup;
  readonly watch?: FetchWatch;
};

export type Dialer = {
  /**
   * Sends a GET and resolves with the head of the response. The caller reads or destroys the body. Throws Refusal if
   * the guard refuses an address, `source_timeout` if connecting takes too long, else the network's own error.
   */
  get(url: URL, signal: AbortSignal): Promise<http.IncomingMessage>;
  close(): void;
};

type AddressGuard = Pick<Guard, 'checkAddress'>;
type Agents = { readonly http: http.Agent; readonly https: https.Agent };

const MAX_HEADER_BYTES = 16 * 1024;
/** Common servers close idle connections after 5 s. A shorter time here makes requests on closing connections rare. */
const IDLE_TIMEOUT_MS = 4000;

/** Creates the dialer. It keeps idle connections open for later requests. */
export function createDialer(guard: AddressGuard, options: DialOptions): Dialer {
  const { connectTimeoutMs, maxSockets, userAgent, watch } = options;
  const lookup = options.lookup ?? createLookup(new dns.Resolver({ timeout: connectTimeoutMs / 4, tries: 2 }));
  const agents = createAgents(maxSockets);
  const headers = { 'user-agent': userAgent, accept: '*/*', 'accept-encoding': 'identity' };

  async function resolve(url: URL, signal: AbortSignal): Promise<LookupAddress[]> {
    const addresses = await addressesOf(hostOf(url), (host) =>
      unlessAborted(signal, withTimeout(connectTimeoutMs, lookup(host, { all: true }))),
    );
    watch?.resolved(
      addresses.map(({ address }) => address),
      url,
    );
    for (const { address } of addresses) guard.checkAddress(address, url);
    return addresses;
  }

  async function send(url: URL, addresses: LookupAddress[], signal: AbortSignal): Promise<http.IncomingMessage> {
    const request = startGet(url, agents, { headers, signal, lookup: pinnedTo(addresses) });
    checkConnection(request, {
      connectEvent: url.protocol === 'https:' ? 'secureConnect' : 'connect',
      connectTimeoutMs,
      checkPeer: (address) => guard.checkAddress(address, url),
    });
    try {
      // Aborting a request that still waits for a connection emits no event, so listen to the signal here too.
      return await unlessAborted(signal, responseTo(request));
    } catch (error) {
      // The server closed a kept connection just before this request. Retry, as Node's manual on reusedSocket advises.
      const isStale = request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
      if (isStale) return send(url, addresses, signal);
      throw error;
    }
  }

  return {
    async get(url, signal) {
      signal.throwIfAborted();
      return send(url, await resolve(url, signal), signal);
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/** Agents for this dialer only: the global agents follow HTTP_PROXY under NODE_USE_ENV_PROXY. */
function createAgents(maxSockets: number): Agents {
  const options = { keepAlive: true, maxSockets, maxFreeSockets: maxSockets, timeout: IDLE_TIMEOUT_MS };
  return { http: new http.Agent(options), https: new https.Agent(options) };
}

/** All addresses of a host. An address literal is its own address. */
async function addressesOf(host: string, lookup: (host: string) => Promise<LookupAddress[]>): Promise<LookupAddress[]> {
  const family = isIP(host);
  const addresses = family === 0 ? await lookup(host) : [{ address: host, family }];
  if (addresses.length === 0) throw new Error(`${host} has no address`);
  return addresses;
}

/** A lookup that returns the checked addresses. A second DNS lookup could return others (DNS rebinding). */
function pinnedTo(addresses: LookupAddress[]): LookupFunction {
  return (_host, _options, done) => done(null, addresses);
}

function startGet(url: URL, agents: Agents, options: http.RequestOptions): http.ClientRequest {
  const common = { ...options, autoSelectFamily: true, maxHeaderSize: MAX_HEADER_BYTES };
  return url.protocol === 'https:'
    ? https.get(url, { ...common, agent: agents.https })
    : http.get(url, { ...common, agent: agents.http });
}
