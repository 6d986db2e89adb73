/** The URL of an image: parsed from untrusted text, resolved at a redirect, and written to the log without secrets. */
import { isHostName } from '../domain/host-name.ts';
import { GatewayError } from '../errors.ts';
import { isBucketText, isBucketUrl, parseBucketUrl } from './bucket/url.ts';

export const MAX_URL_BYTES = 8192;
const MAX_LOGGED_LENGTH = 300;
/** Control characters (the URL parser drops some of them silently) and lone surrogates. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;

const invalid = (what: string) => new GatewayError('invalid_url', `the URL ${what}`);

/**
 * Parses an absolute URL, or one relative to `base`, by the WHATWG standard. White space around it is dropped: it comes
 * from files and spreadsheets. Parsing normalises unusual spellings of a
 * host (0x7f.1, %31, ①), so check the result, never the text. A trailing dot of the host is dropped. Throws
 * `invalid_url` if the text is too long, has unprintable characters, is not a URL, or has a host that is not a valid
 * DNS name (RFC 1035). A `gs://` or `s3://` URL is parsed by `parseBucketUrl`; a redirect cannot lead to one.
 */
export function parseSourceUrl(untrimmed: string, base?: URL): URL {
  const text = untrimmed.trim();
  if (Buffer.byteLength(text) > MAX_URL_BYTES) throw invalid(`is longer than ${MAX_URL_BYTES} bytes`);
  if (UNPRINTABLE.test(text)) throw invalid('has a line break, tab or other control character; leave it out');
  if (base === undefined && isBucketText(text)) return parseBucketUrl(text);
  const url = URL.parse(text, base?.href);
  // The parser's own error is not kept as the cause: it contains the whole text, passwords included.
  if (!url) throw invalid('is not an absolute URL; write it like https://example.com/photo.jpg');
  if (isBucketUrl(url)) throw invalid('is an object of a bucket, to which no source may redirect');
  if (!isHttp(url)) return url;
  const host = hostOf(url).replace(/\.$/, '');
  // Check before setting the host: setting it parses it again, and 0x7f.. without its last dot becomes an address.
  if (!isHostName(host)) throw invalid('has a host that is not a valid DNS name or address');
  if (url.hostname.endsWith('.')) url.hostname = host;
  return url;
}

/** Throws `invalid_url` if the URL has a user name or password: they would appear in places that are not secret. */
export function refuseUserinfo({ username, password }: URL): void {
  if (username !== '' || password !== '') throw invalid('has a user name or password; leave them out');
}

export const isHttp = ({ protocol }: URL): boolean => protocol === 'http:' || protocol === 'https:';

/** The host as DNS and sockets take it: IPv6 without brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

/** The port of an http or https URL: the one given, or the default of its scheme. */
export function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

/** Origin and path, for the log: a query may contain a signature, userinfo a password. */
export function redactUrl({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname}`.slice(0, MAX_LOGGED_LENGTH);
}
