/** Parses the entries of FETCH_ALLOW and FETCH_DENY: hosts, domains, origins and CIDRs. */
import { isIP } from 'node:net';
import { isHostName } from '../domain/host-name.ts';
import { canonical, isSingle, isTranslated, type Net, parseAddress, parseNet, reachesOf } from './address.ts';
import { hostOf, portOf } from './source-url.ts';

type HostEntry = {
  /** Set for an origin. A bare host matches both schemes and every open port. */
  readonly origin?: { readonly protocol: string; readonly port: number };
  readonly host: string;
  /** `host` matches the host itself, `*.host` every name below it at any depth, `.host` both. */
  readonly itself: boolean;
  readonly below: boolean;
};

export type Entries = { readonly hosts: readonly HostEntry[]; readonly nets: readonly Net[] };

const FORMS = 'img.example.com, *.example.com, .example.com, https://img.example.com and 10.0.0.0/8';

/**
 * Parses a setting's entries. Throws one Error that names the setting and every entry that has none of the five forms,
 * or that no URL can match.
 */
function parseEntries(setting: string, texts: readonly string[]): Entries {
  const nets: Net[] = [];
  const hosts: HostEntry[] = [];
  const wrong: string[] = [];
  for (const text of texts) {
    const net = parseNet(text);
    const host = net ? undefined : parseHostEntry(text);
    if (net) nets.push(net);
    else if (host) hosts.push(host);
    else wrong.push(JSON.stringify(text));
  }
  if (wrong.length === 0) return { hosts, nets };
  throw new Error(`${setting}: ${wrong.join(', ')} cannot be read, or matches nothing; entries look like ${FORMS}`);
}

/** Parses the entries of FETCH_ALLOW. Also throws for a CIDR that would open nothing. */
export function parseAllowEntries(setting: string, texts: readonly string[]): Entries {
  const entries = parseEntries(setting, texts);
  for (const net of entries.nets) {
    const fault = faultOf(net, entries.hosts.length > 0);
    if (fault !== undefined) throw new Error(`${setting}: ${net.join('/')} opens nothing: ${fault}`);
  }
  return entries;
}

/** Why a CIDR in FETCH_ALLOW would open nothing, and what to write. */
function faultOf(net: Net, hasHosts: boolean): string | undefined {
  if (isTranslated(net)) return 'the guard checks the IPv4 addresses inside of 64:ff9b::/96; write those';
  const reaches = reachesOf(net);
  const isOfUse = reaches.has('private') || reaches.has('reserved') || isSingle(net);
  if (reaches.has('metadata') && !isOfUse) {
    return 'link-local and metadata addresses open one by one; write the address, without a mask';
  }
  if (!hasHosts && [...reaches].join() === 'public') {
    return 'public addresses are open, and a CIDR refuses no others; list hosts to fetch from those only';
  }
  return undefined;
}

/** Parses the entries of FETCH_DENY. Also throws for an origin with an address, which names could get around. */
export function parseDenyEntries(setting: string, texts: readonly string[]): Entries {
  const entries = parseEntries(setting, texts);
  const literal = entries.hosts.find(({ host }) => isIP(host) !== 0);
  if (!literal) return entries;
  const fault = 'an origin would not refuse the names of this address; write the address alone';
  throw new Error(`${setting}: ${literal.host}: ${fault}`);
}

function parseHostEntry(text: string): HostEntry | undefined {
  const [, scheme, mark, rest = ''] = /^(https?:\/\/)?(\*?\.)?(.*)$/is.exec(text) ?? [];
  const url = URL.parse(`${scheme ?? 'http://'}${rest}`);
  if (!url || url.href !== `${url.origin}/`) return undefined;
  const host = plainHost(url).replace(/\.$/, '');
  if (!isHostName(host) || host.includes('*')) return undefined;
  // A bare host has no port. A bare address in an unusual spelling (127.1) is probably a typing error. No name is below
  // an address.
  const isBare = scheme === undefined;
  if ((isBare && rest.includes(':')) || (isIP(host) !== 0 && (isBare || mark !== undefined))) return undefined;
  const matching = { itself: mark !== '*.', below: mark !== undefined };
  return { ...(!isBare && { origin: { protocol: url.protocol, port: portOf(url) } }), host, ...matching };
}

/** Whether an entry matches a parsed URL. Compares parsed parts, never prefixes of text. */
export function matchesUrl({ host, itself, below, origin }: HostEntry, url: URL): boolean {
  if (origin && (origin.protocol !== url.protocol || origin.port !== portOf(url))) return false;
  const given = plainHost(url);
  return (itself && given === host) || (below && given.endsWith(`.${host}`));
}

/** The host of a URL. An IPv4-mapped address is the IPv4 one. */
function plainHost(url: URL): string {
  const host = hostOf(url);
  const address = parseAddress(host);
  return address ? canonical(address).toString() : host;
}
