/** Decides what may be fetched: checks each URL before the lookup, each address before and after connecting. */
import { parseBucketEntries } from './bucket/entries.ts';
import { parseAllowEntries, parseDenyEntries } from './entries.ts';
import { enforce, type Finding } from './finding.ts';
import { judgeAddress, judgeUrl, type Policy } from './rules.ts';

export type GuardOptions = {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly allowPrivate: boolean;
  readonly ports: readonly number[];
  /** Buckets that may be read. Default: none. */
  readonly buckets?: readonly string[];
};

export type Guard = {
  /** Throws Refusal unless the URL's scheme and host are allowed. Reads the parsed URL only. */
  checkUrl(url: URL): void;
  /** Throws Refusal unless the gateway may connect to this address for the URL. */
  checkAddress(address: string, url: URL): void;
  /** The findings behind `checkUrl`, computed one by one as they are read. */
  judgeUrl(url: URL): Iterable<Finding>;
  /** The findings behind `checkAddress`. */
  judgeAddress(address: string, url: URL): Iterable<Finding>;
};

/** Pairs of address and origin that were found open, kept: the same few sources are asked again and again. */
const MAX_KNOWN = 1024;

/**
 * Creates the guard. Its rules:
 * - `deny` takes precedence over everything: hosts and origins by name, CIDRs by address.
 * - Once `allow` lists a host, wildcard or origin, all other hosts are refused, except address literals within a CIDR
 *   of `allow`. `*.example.com` matches every name below example.com, not example.com itself; `.example.com` matches
 *   both. An origin also fixes the scheme and the port, and opens that port.
 * - A CIDR in `allow` opens its addresses, private and reserved ones too. By itself it refuses nothing. A host entry
 *   never opens an address, and a CIDR never opens a host: the addresses of a listed host are still checked.
 * - `allowPrivate` opens private and loopback addresses, and every port on them.
 * - A link-local address or a metadata service is open only if an entry is exactly its address, without a wider mask.
 * - On all other addresses only `ports` are open.
 * - An object of a bucket is open if `buckets` lists the bucket or a folder of it. No other rule is about buckets.
 * Throws an Error that names the entries which cannot be parsed, or which have no effect.
 */
export function createGuard({ allow, deny, allowPrivate, ports, buckets = [] }: GuardOptions): Guard {
  const policy: Policy = {
    allow: parseAllowEntries('FETCH_ALLOW', allow),
    deny: parseDenyEntries('FETCH_DENY', deny),
    allowPrivate,
    ports,
    buckets: parseBucketEntries('FETCH_BUCKETS', buckets),
  };
  const known = new Set<string>();
  return {
    checkUrl: (url) => enforce(judgeUrl(policy, url)),
    checkAddress(address, url) {
      // The rules of an address read nothing else of the URL.
      const key = `${address} ${url.origin}`;
      if (known.has(key)) return;
      enforce(judgeAddress(policy, address, url));
      if (known.size >= MAX_KNOWN) known.clear();
      known.add(key);
    },
    judgeUrl: (url) => judgeUrl(policy, url),
    judgeAddress: (address, url) => judgeAddress(policy, address, url),
  };
}
