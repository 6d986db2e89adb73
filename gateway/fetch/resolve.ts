/** Resolves a host name to all its addresses. A name server that hangs does not block other lookups. */
import { promises as dns, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import type { HostsFile } from './hosts-file.ts';

/** The shape of `dns.promises.lookup` with `{ all: true }`. */
export type Lookup = (host: string, options: { all: true }) => Promise<LookupAddress[]>;

/**
 * Whether public DNS cannot have the name: it has no dot, or its domain is reserved for private use (RFC 6761, 6762).
 */
export function isPrivateName(host: string): boolean {
  return isIP(host) === 0 && (!host.includes('.') || /\.(localhost|local|internal|svc)$/.test(host));
}

/**
 * Creates the default lookup.
 * - Public names are looked up in the hosts file, then resolved with c-ares, which does not read it. The system's resolver runs in libuv's thread pool, where two names whose
 *   servers never answer block every other name for many seconds. It also tries a cluster's search domains, which would
 *   resolve `metrics.kube-system`.
 * - Private names are resolved with the system's resolver, which reads the hosts file. No outside name server answers
 *   them.
 * A name without any address rejects with the resolver's error.
 */
export function createLookup(resolver: dns.Resolver, hostsFile: HostsFile): Lookup {
  return async (host, options) => {
    if (isPrivateName(host)) return dns.lookup(host, options);
    const listed = await hostsFile(host);
    if (listed) return listed;
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    if (v4.status === 'rejected' && v6.status === 'rejected') throw v4.reason;
    return [
      ...(v4.status === 'fulfilled' ? v4.value : []).map((address) => ({ address, family: 4 })),
      ...(v6.status === 'fulfilled' ? v6.value : []).map((address) => ({ address, family: 6 })),
    ];
  };
}
