/** The URL of an image: read from a stranger's text, resolved at a redirect, and written to the log without secrets. */
import { isIP } from 'node:net';
import { GatewayError } from '../errors.ts';

export const MAX_URL_BYTES = 8192;
const MAX_LOGGED_LENGTH = 300;
/** Control characters, some of which the URL parser would drop silently, and lone halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;

const invalid = (what: string) => new GatewayError('invalid_url', `the URL ${what}`);

/**
 * Reads an absolute URL, or one relative to `base`, as WHATWG says: afterwards odd spellings of a host (0x7f.1, %31, ①)
 * are gone, so only the result may be judged, never the text. A trailing dot of the host is dropped.
 * Throws `invalid_url` for what is too long, unprintable, not a URL, or names a host that DNS cannot hold (RFC 1035).
 */
export function parseSourceUrl(text: string, base?: URL): URL {
  if (Buffer.byteLength(text) > MAX_URL_BYTES) throw invalid(`is longer than ${MAX_URL_BYTES} bytes`);
  if (UNPRINTABLE.test(text)) throw invalid('has an unprintable character in it; percent-encode such characters');
  const url = URL.parse(text, base?.href);
  // The parser's own error is not kept as a cause: it carries the whole text, passwords included.
  if (!url) throw invalid('is not an absolute URL; write it like https://example.com/photo.jpg');
  if (!isHttp(url)) return url;
  const host = hostOf(url).replace(/\.$/, '');
  // Before the host is set: the parser would read it anew, and 0x7f.. without its last dot is an address.
  if (!fitsDns(host)) throw invalid('has a host name that no host can have');
  if (url.hostname.endsWith('.')) url.hostname = host;
  return url;
}

/** Throws `invalid_url` where a URL holds a user name or a password: they would end up in places that are not secret. */
export function refuseUserinfo({ username, password }: URL): void {
  if (username !== '' || password !== '') throw invalid('has a user name or password in it; leave them out');
}

export const isHttp = ({ protocol }: URL): boolean => protocol === 'http:' || protocol === 'https:';

/** The host as DNS and sockets know it: IPv6 without brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

/** The port of an http or https URL: its own, or its scheme's. */
export function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

function fitsDns(host: string): boolean {
  if (isIP(host) !== 0) return true;
  return host.length <= 253 && host.split('.').every(({ length }) => length >= 1 && length <= 63);
}

/** Origin and path, for the log: a query may hold a signature, userinfo a password. */
export function redactUrl({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname}`.slice(0, MAX_LOGGED_LENGTH);
}
