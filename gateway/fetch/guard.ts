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

/** A refusal. `message` names the rule and the setting that would lift it; it is for the log, never for the client. */
export class Refusal extends Error {}

export type Guard = {
  /** Throws Refusal unless scheme and host may be fetched from. Looks at the parsed URL alone. */
  checkUrl(url: URL): void;
  /** Throws Refusal unless this address may be connected to on behalf of the URL. */
  checkAddress(address: string, url: URL): void;
};

const METADATA_HOST = 'metadata.google.internal';

const LIFTED_BY: Readonly<Record<Range['reach'], string>> = {
  public: 'nothing',
  private: 'FETCH_ALLOW with its CIDR, or FETCH_ALLOW_PRIVATE',
  metadata: 'FETCH_ALLOW with this very address',
  reserved: 'FETCH_ALLOW with its CIDR',
};

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

  function checkUrl(url: URL): void {
    const host = hostOf(url);
    if (!isHttp(url)) throw new Refusal(`scheme ${url.protocol} is neither http nor https`);
    if (lists(deny, url)) throw new Refusal(`${host} is in FETCH_DENY`);
    if (host === METADATA_HOST && !allow.hosts.some((entry) => entry.host === host)) {
      throw new Refusal(`${host} hands out credentials; FETCH_ALLOW with this very host would lift this`);
    }
    const isListed = lists(allow, url) || isWithin(allow, host);
    if (allow.hosts.length > 0 && !isListed) throw new Refusal(`${url.origin} is not in FETCH_ALLOW`);
    if (isClosed && !isListed && isPrivateName(host)) {
      throw new Refusal(`${host} is a private name; ${LIFTED_BY.private} would lift this`);
    }
  }

  function checkAddress(text: string, url: URL): void {
    const address = parseAddress(text);
    if (!address) throw new Refusal(`${text} is not an address`);
    const target = canonical(address);
    if ([address, target].some((face) => holds(deny, face))) throw new Refusal(`${text} is in FETCH_DENY`);
    const range = rangeOf(target);
    if (!isOpen(target, range)) {
      throw new Refusal(`${text} is ${range.reach} (${range.name}); ${LIFTED_BY[range.reach]} would lift this`);
    }
    const isAnyPortOpen = options.allowPrivate && range.reach === 'private';
    if (!isAnyPortOpen && !isPortOpen(url)) {
      throw new Refusal(`port ${portOf(url)} is closed; FETCH_PORTS, or the origin in FETCH_ALLOW, would lift this`);
    }
  }

  function isOpen(target: Address, { reach }: Range): boolean {
    if (reach === 'public' || (reach === 'private' && options.allowPrivate)) return true;
    if (reach !== 'metadata') return holds(allow, target);
    return allow.nets.some(([base, bits]) => bits === base.toByteArray().length * 8 && contains([base, bits], target));
  }

  function isPortOpen(url: URL): boolean {
    return options.ports.includes(portOf(url)) || allow.hosts.some((entry) => entry.origin && namesUrl(entry, url));
  }

  return { checkUrl, checkAddress };
}

const lists = ({ hosts }: Entries, url: URL) => hosts.some((entry) => namesUrl(entry, url));
const holds = ({ nets }: Entries, address: Address) => nets.some((net) => contains(net, address));

/** Whether the host is an address literal within one of the CIDRs. */
function isWithin(entries: Entries, host: string): boolean {
  const address = isIP(host) === 0 ? undefined : parseAddress(host);
  return address !== undefined && holds(entries, canonical(address));
}
