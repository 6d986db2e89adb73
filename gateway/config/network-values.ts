/** The types of settings that name hosts, addresses and URLs. An entry that can never match is refused. */
import { isIP, isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { isHostName } from '../domain/host-name.ts';
import { list, nonEmptyList } from './values.ts';

/** Origins of web pages, or `*`. Compared with the header Origin as a whole, so a wildcard would match nothing. */
export const origins = () =>
  nonEmptyList(
    'a comma-separated list of origins such as https://example.com (no wildcards, no path), or *',
    (entry) => entry === '*' || isOrigin(entry),
  );

function isOrigin(entry: string): boolean {
  const url = URL.parse(entry);
  if (!url || !/^https?:$/.test(url.protocol) || url.origin !== entry) return false;
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  return isHostName(host) && !host.includes('*');
}

/** Groups of addresses that express knows by name. */
const GROUPS: ReadonlySet<string> = new Set(['loopback', 'linklocal', 'uniquelocal']);

/** A number of proxies, or their addresses and CIDRs. */
export const proxies = () =>
  list().transform((entries, context) => {
    if (/^\d+$/.test(entries.join())) return Number(entries[0]);
    if (entries.every((entry) => GROUPS.has(entry) || isNet(entry))) return entries;
    const message = 'a number of proxies, or their addresses and CIDRs such as 10.0.0.0/8,fd00::/8';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

/** An address, a CIDR, or an IPv4 address with a netmask, in the usual spelling: express reads `1` as 0.0.0.1. */
function isNet(entry: string): boolean {
  const [address = '', mask, ...others] = entry.split('/');
  if (isIP(address) === 0 || others.length > 0) return false;
  if (mask === undefined) return true;
  if (isIPv4(mask)) return isIPv4(address) && ipaddr.IPv4.parse(mask).prefixLengthFromSubnetMask() !== null;
  const bits = /^\d{1,3}$/.test(mask) ? Number(mask) : 0;
  // Every client with an IPv4 address is compared as IPv4, so a net that is only partly IPv4-mapped matches none.
  const least = isIPv6(address) && ipaddr.IPv6.parse(address).isIPv4MappedAddress() ? 96 : 1;
  return bits >= least && bits <= (isIPv4(address) ? 32 : 128);
}

const PERCENT_ENCODE = 'percent-encode special characters of the password';

export const redisUrl = () => secretUrl(/^rediss?:$/, `redis://HOST:PORT or rediss://HOST:PORT; ${PERCENT_ENCODE}`);

export const proxyUrl = () =>
  secretUrl(/^https?:$/, `http://HOST:PORT or https://HOST:PORT; ${PERCENT_ENCODE}`).refine(
    (text) => /^\/?$/.test(URL.parse(text)?.pathname ?? ''),
    'a URL without a path',
  );

/** Where lines go: `off`, `stdout`, a folder, or the URL of a collector. */
export const lineTarget = () =>
  z.string().transform((text, context): LineTarget => {
    if (text === 'off' || text === 'stdout') return text;
    if (!/^[a-z][a-z\d+.-]*:/i.test(text)) return { folder: text };
    const url = URL.parse(text);
    if (url && /^https?:$/.test(url.protocol) && url.hash === '' && isDecodable(url)) return { url: text };
    context.addIssue({ code: 'custom', message: `off, stdout, a folder, or https://HOST/PATH; ${PERCENT_ENCODE}` });
    return z.NEVER;
  });

export type LineTarget = 'off' | 'stdout' | { readonly folder: string } | { readonly url: string };

/** A URL that may have a password. The setting belongs into SECRETS. */
function secretUrl(protocol: RegExp, needs: string) {
  return z.string().refine((text) => {
    const url = URL.parse(text);
    return url !== null && protocol.test(url.protocol) && url.hostname !== '' && isDecodable(url);
  }, needs);
}

/** Whether the percent signs in user and password are those of percent-encoding. */
function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

/** The value of a header: visible ASCII and spaces (RFC 9110, 5.5). */
export const headerText = () => z.string().regex(/^[!-~](?:[ -~]*[!-~])?$/, 'visible ASCII characters and spaces');

/** A path that a platform chooses. No query and no fragment: they are no part of what is compared. */
export const route = () =>
  z
    .string()
    .regex(/^\/[\x21-\x7e]*$/, 'a path such as /predict')
    .regex(/^[^?#]*$/, 'a path without ? and #');
