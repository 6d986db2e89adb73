/** Decides where the gateway may fetch from: each URL before any lookup, each address before and after it is dialled. */
import { isIP } from 'node:net';
import { type Address, canonical, contains, parseAddress, type Range, rangeOf } from './address.ts';
import { type Entries, namesUrl, parseEntries } from './entries.ts';
import { isPrivateName } from './resolve.ts';
import { hostOf, isHttp, portOf } from './source-url.ts';

export type GuardOptions = {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly allowPrivate: boolean;
  readonly ports: readonly number[];
};

/** The rules in the order in which they are asked: five look at the parsed URL, three at an address, one at a redirect. */
export type Rule =
  | ('scheme' | 'deny-list' | 'metadata-name' | 'allow-list' | 'private-name')
  | ('denied-address' | 'address' | 'port')
  | 'downgrade';

/** What one rule found. For operators, never for the client. */
export type Finding = {
  readonly rule: Rule;
  readonly refused: boolean;
  readonly text: string;
  /** The setting that would let it pass, as it would be written; none where nothing would. */
  readonly liftedBy?: string;
};

/** A refusal. `message` has the finding and what would lift it; it is for the log, never for the client. */
export class Refusal extends Error {
  readonly rule: Rule;

  constructor({ rule, text, liftedBy }: Omit<Finding, 'refused'>) {
    super(liftedBy === undefined ? text : `${text}; ${liftedBy} would lift this`);
    this.rule = rule;
  }
}

export type Guard = {
  /** Throws Refusal unless scheme and host may be fetched from. Looks at the parsed URL alone. */
  checkUrl(url: URL): void;
  /** Throws Refusal unless this address may be connected to on behalf of the URL. */
  checkAddress(address: string, url: URL): void;
  /** What `checkUrl` goes by: each rule's finding, worked out when it is asked for. */
  judgeUrl(url: URL): Iterable<Finding>;
  /** What `checkAddress` goes by. */
  judgeAddress(address: string, url: URL): Iterable<Finding>;
};

const METADATA_HOST = 'metadata.google.internal';

/**
 * Makes the guard. Its rules:
 * - `deny` wins over everything: hosts and origins by name, CIDRs by address.
 * - A host, wildcard or origin in `allow` turns it into the list of hosts: no other host is fetched from, except address
 *   literals within a CIDR of `allow`. `*.example.com` means every name under example.com, not example.com itself.
 *   An origin fixes scheme and port as well, and opens its port.
 * - A CIDR in `allow` opens its addresses, be they private or reserved. Alone it closes nothing. A host entry never
 *   opens an address and a CIDR never opens a host; what a listed host resolves to is still checked.
 * - `allowPrivate` opens private, loopback and link-local addresses, and every port on them.
 * - Metadata services open only to an entry that is their address, with no wider mask.
 * - Everywhere else only `ports` are open.
 * Throws an Error that names the entries which cannot be read.
 */
export function createGuard(options: GuardOptions): Guard {
  const allow = parseEntries('FETCH_ALLOW', options.allow);
  const deny = parseEntries('FETCH_DENY', options.deny);
  const isClosed = !options.allowPrivate && allow.nets.length === 0;

  function* judgeUrl(url: URL): Iterable<Finding> {
    const host = hostOf(url);
    yield isHttp(url)
      ? passed('scheme', url.protocol.slice(0, -1))
      : refused('scheme', `scheme ${url.protocol} is neither http nor https`);
    yield lists(deny, url)
      ? refused('deny-list', `${host} is in FETCH_DENY`, 'FETCH_DENY without it')
      : passed('deny-list', `${host} is not in FETCH_DENY`);
    if (host === METADATA_HOST) {
      const isNamed = allow.hosts.some((entry) => entry.host === host);
      const text = `${host} hands out credentials`;
      yield isNamed ? passed('metadata-name', text) : refused('metadata-name', text, allowing(host));
    }
    const isListed = lists(allow, url) || isWithin(allow, host);
    if (allow.hosts.length === 0) yield passed('allow-list', 'FETCH_ALLOW lists no host');
    else if (isListed) yield passed('allow-list', `${url.origin} is in FETCH_ALLOW`);
    else yield refused('allow-list', `${url.origin} is not in FETCH_ALLOW`, allowing(host));
    if (isPrivateName(host)) {
      const lift = 'FETCH_ALLOW with the CIDR of its addresses, or FETCH_ALLOW_PRIVATE=true,';
      const text = `${host} is a private name`;
      yield isClosed && !isListed ? refused('private-name', text, lift) : passed('private-name', text);
    }
  }

  function* judgeAddress(text: string, url: URL): Iterable<Finding> {
    const address = parseAddress(text);
    if (!address) {
      yield refused('address', `${text} is not an address`);
      return;
    }
    const target = canonical(address);
    const isDenied = [address, target].some((face) => holds(deny, face));
    yield isDenied
      ? refused('denied-address', `${text} is in FETCH_DENY`, 'FETCH_DENY without its CIDR')
      : passed('denied-address', `${text} is not in FETCH_DENY`);
    const range = rangeOf(target);
    const what = `${text} is ${describe(range)}`;
    yield isOpen(target, range) ? passed('address', what) : refused('address', what, lifting(target, range));
    const port = portOf(url);
    const isAnyPortOpen = options.allowPrivate && range.reach === 'private';
    yield isAnyPortOpen || isPortOpen(url)
      ? passed('port', `port ${port} is open`)
      : refused('port', `port ${port} is closed`, `FETCH_PORTS=${[...options.ports, port].join(',')}`);
  }

  /** FETCH_ALLOW as it would be with this entry; what stands there already may be long. */
  const allowing = (entry: string) => `FETCH_ALLOW=${options.allow.length > 0 ? '…,' : ''}${entry}`;

  function lifting(target: Address, { reach }: Range): string {
    const alone = allowing(target.toString());
    if (reach === 'metadata') return `${alone} (this very address)`;
    const withCidr = `${alone} (or its CIDR)`;
    return reach === 'private' ? `${withCidr}, or FETCH_ALLOW_PRIVATE=true,` : withCidr;
  }

  function isOpen(target: Address, { reach }: Range): boolean {
    if (reach === 'public' || (reach === 'private' && options.allowPrivate)) return true;
    if (reach !== 'metadata') return holds(allow, target);
    return allow.nets.some(([base, bits]) => bits === base.toByteArray().length * 8 && contains([base, bits], target));
  }

  function isPortOpen(url: URL): boolean {
    return options.ports.includes(portOf(url)) || allow.hosts.some((entry) => entry.origin && namesUrl(entry, url));
  }

  return {
    checkUrl: (url) => enforce(judgeUrl(url)),
    checkAddress: (address, url) => enforce(judgeAddress(address, url)),
    judgeUrl,
    judgeAddress,
  };
}

const passed = (rule: Rule, text: string): Finding => ({ rule, refused: false, text });
const refused = (rule: Rule, text: string, liftedBy?: string): Finding => ({
  rule,
  refused: true,
  text,
  ...(liftedBy !== undefined && { liftedBy }),
});

function enforce(findings: Iterable<Finding>): void {
  for (const finding of findings) if (finding.refused) throw new Refusal(finding);
}

/** "private, RFC 1918", "private (loopback)", "public". */
const describe = ({ reach, name }: Range) => (name.startsWith(reach) ? name : `${reach} (${name})`);

const lists = ({ hosts }: Entries, url: URL) => hosts.some((entry) => namesUrl(entry, url));
const holds = ({ nets }: Entries, address: Address) => nets.some((net) => contains(net, address));

/** Whether the host is an address literal within one of the CIDRs. */
function isWithin(entries: Entries, host: string): boolean {
  const address = isIP(host) === 0 ? undefined : parseAddress(host);
  return address !== undefined && holds(entries, canonical(address));
}
