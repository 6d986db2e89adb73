/** Resolves a host name to all its addresses. A name server that hangs does not block other lookups. */
import { promises as dns, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import type { HostsFile } from './hosts-file.ts';
import type { AskNameServers } from './name-servers.ts';

/** The addresses of a name. Rejects if it has none. */
export type Lookup = (host: string, signal: AbortSignal) => Promise<LookupAddress[]>;

/**
 * Whether public DNS cannot have the name: it has no dot, or its domain is reserved for private use (RFC 6761, 6762).
 */
export function isPrivateName(host: string): boolean {
  return isIP(host) === 0 && (!host.includes('.') || /\.(localhost|local|internal|svc)$/.test(host));
}

/**
 * Creates the default lookup.
 * - Public names are looked up in the hosts file, then at the name servers. The system's resolver runs in libuv's thread
 *   pool, where two names whose servers never answer block every other name for many seconds. It also tries a cluster's
 *   search domains, which would resolve `metrics.kube-system`.
 * - Private names are resolved with the system's resolver, which reads the hosts file. No outside name server answers
 *   them.
 */
export function createLookup(askNameServers: AskNameServers, hostsFile: HostsFile): Lookup {
  return async (host, signal) => {
    if (isPrivateName(host)) return dns.lookup(host, { all: true });
    return (await hostsFile(host)) ?? askNameServers(host, signal);
  };
}
