/** One guarded GET: resolve the name once, check every address, connect to one of the checked addresses only. */
import type { LookupAddress } from 'node:dns';
import type http from 'node:http';
import { isIP } from 'node:net';
import { createDirectSender } from './direct.ts';
import type { Guard } from './guard.ts';
import { createHostsFile } from './hosts-file.ts';
import { createNameServers } from './name-servers.ts';
import { createProxiedSender } from './proxied.ts';
import { createLookup, type Lookup } from './resolve.ts';
import type { Headers } from './sender.ts';
import { hostOf } from './source-url.ts';
import { inTime, unlessAborted } from './wait.ts';

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
  /** Connections to all sources together. `SourcePlaces` shares them. Default: no limit. */
  readonly maxTotalSockets?: number | undefined;
  readonly userAgent: string;
  /** Size limit of a body, as received. */
  readonly maxBytes: number;
  /** An egress proxy, http or https. Its URL may have a user and a password. Unset: connections go to the source. */
  readonly proxy?: URL | undefined;
  /** Resolves a name to addresses. Default: the hosts file, then DNS. */
  readonly lookup?: Lookup;
  readonly watch?: FetchWatch;
};

export type Dialer = {
  /**
   * Sends a GET and resolves with the head of the response. The caller reads or destroys the body. Throws Refusal if
   * the guard refuses an address, `source_timeout` if connecting takes too long, else the network's own error. `own`: headers of this request, such as credentials.
   */
  get(url: URL, signal: AbortSignal, own?: Headers): Promise<http.IncomingMessage>;
  close(): void;
};

/** Addresses of a host that are checked and connected to. Others are left out. */
const MAX_ADDRESSES = 64;

type AddressGuard = Pick<Guard, 'checkAddress'>;

/** Creates the dialer. Without a proxy it keeps idle connections open for later requests. */
export function createDialer(guard: AddressGuard, options: DialOptions): Dialer {
  const { connectTimeoutMs, maxSockets, maxTotalSockets = Number.POSITIVE_INFINITY, userAgent, proxy, watch } = options;
  const nameServers = createNameServers({ timeoutMs: connectTimeoutMs / 4 });
  const lookup = options.lookup ?? createLookup(nameServers, createHostsFile());
  const headers = { 'user-agent': userAgent, accept: '*/*', 'accept-encoding': 'identity' };
  const senderOptions = { headers, connectTimeoutMs, maxSockets, maxTotalSockets, maxBodyBytes: options.maxBytes };
  const sender = proxy ? createProxiedSender(proxy, senderOptions) : createDirectSender(guard, senderOptions);

  async function resolve(url: URL, signal: AbortSignal): Promise<LookupAddress[]> {
    const timedOut = () => new Error(`the name was not resolved within ${connectTimeoutMs} ms`);
    const limit = { timeoutMs: connectTimeoutMs, signal, timedOut };
    const addresses = await addressesOf(hostOf(url), (host) =>
      inTime(limit, (either) => unlessAborted(either, lookup(host, either))),
    );
    watch?.resolved(
      addresses.map(({ address }) => address),
      url,
    );
    for (const { address } of addresses) guard.checkAddress(address, url);
    return addresses;
  }

  return {
    async get(url, signal, own) {
      signal.throwIfAborted();
      return sender.send(url, await resolve(url, signal), signal, own);
    },
    close: sender.close,
  };
}

/** The addresses of a host. An address literal is its own address. */
async function addressesOf(host: string, lookup: (host: string) => Promise<LookupAddress[]>): Promise<LookupAddress[]> {
  const family = isIP(host);
  const addresses = family === 0 ? await lookup(host) : [{ address: host, family }];
  if (addresses.length === 0) throw new Error(`${host} has no address`);
  return addresses.slice(0, MAX_ADDRESSES);
}
