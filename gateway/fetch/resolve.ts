/** From a host's name to all its addresses, without letting a name server that hangs stop the others. */
import { promises as dns, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';

/** The shape of `dns.promises.lookup` with `{ all: true }`. */
export type Lookup = (host: string, options: { all: true }) => Promise<LookupAddress[]>;

/** Names that public DNS cannot hold: without a dot, or under a domain set aside for private use (RFC 6761, 6762). */
export function isPrivateName(host: string): boolean {
  return isIP(host) === 0 && (!host.includes('.') || /\.(localhost|local|internal|svc)$/.test(host));
}

/**
 * Makes the default lookup. Public names are asked over the network (c-ares): the system's resolver runs in libuv's
 * thread pool, where two names whose servers never answer would hold up every other name for many seconds; it also
 * tries a cluster's search domains, so that `metrics.kube-system` would be found. Private names, which no stranger's
 * server answers for, go through the system's resolver, so that the hosts file counts.
 * A name without any address rejects with the resolver's error.
 */
export function createLookup(resolver: dns.Resolver): Lookup {
  return async (host, options) => {
    if (isPrivateName(host)) return dns.lookup(host, options);
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    if (v4.status === 'rejected' && v6.status === 'rejected') throw v4.reason;
    return [
      ...(v4.status === 'fulfilled' ? v4.value : []).map((address) => ({ address, family: 4 })),
      ...(v6.status === 'fulfilled' ? v6.value : []).map((address) => ({ address, family: 6 })),
    ];
  };
}
