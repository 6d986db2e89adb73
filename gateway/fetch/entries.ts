/** Parses the entries of FETCH_ALLOW and FETCH_DENY: hosts, wildcards, origins and CIDRs. */
import { isIP } from 'node:net';
import { type Net, parseNet } from './address.ts';
import { hostOf, isHttp, portOf } from './source-url.ts';

type HostEntry = {
  /** Set for an origin. A bare host matches both schemes and every open port. */
  readonly origin?: { readonly protocol: string; readonly port: number };
  readonly host: string;
  /** `*.host` matches every name below the host, at any depth, but not the host itself. */
  readonly wildcard: boolean;
};

export type Entries = { readonly hosts: readonly HostEntry[]; readonly nets: readonly Net[] };

/**
 * Parses a setting's entries. Throws one Error that names the setting and every entry that has none of the four forms.
 */
export function parseEntries(setting: string, texts: readonly string[]): Entries {
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
  const forms = 'img.example.com, *.example.com, https://img.example.com and 10.0.0.0/8';
  throw new Error(`${setting}: ${wrong.join(', ')} cannot be read; entries look like ${forms}`);
}

function parseHostEntry(text: string): HostEntry | undefined {
  const isOrigin = text.includes('://');
  const url = URL.parse(isOrigin ? text : `http://${text}`);
  if (!url || !isHttp(url) || url.href !== `${url.origin}/`) return undefined;
  const wildcard = url.hostname.startsWith('*.');
  const host = hostOf(url)
    .slice(wildcard ? 2 : 0)
    .replace(/\.$/, '');
  if (host === '' || host.includes('*')) return undefined;
  if (isOrigin) return { origin: { protocol: url.protocol, port: portOf(url) }, host, wildcard };
  // A bare host has no port. An address in an unusual spelling (127.1) is probably a typing error, so it is refused.
  return url.port === '' && isIP(host) === 0 ? { host, wildcard } : undefined;
}

/** Whether an entry matches a parsed URL. Compares parsed parts, never prefixes of text. */
export function matchesUrl({ host, wildcard, origin }: HostEntry, url: URL): boolean {
  if (origin && (origin.protocol !== url.protocol || origin.port !== portOf(url))) return false;
  return wildcard ? hostOf(url).endsWith(`.${host}`) : hostOf(url) === host;
}
