/** The addresses in X-Forwarded-For, whatever proxy wrote them. */
import { isIP } from 'node:net';
import type { RequestHandler } from 'express';
import ipaddr from 'ipaddr.js';

/** Entries that are looked at, from the last. No chain of proxies is longer. */
const MAX_ENTRIES = 32;
/** What RFC 7239 calls a client whose address the proxy does not tell. */
const UNKNOWN = 'unknown';

/** `node` of RFC 7239 (6): an IPv4 address or an IPv6 address in brackets, and a port. */
const NODE = /^(?:\[(?<v6>[^\]]*)\]|(?<v4>[\d.]+))(?::[\w.-]*)?$/;

/** Replaces the entries of X-Forwarded-For by plain addresses, for all that reads it later. */
export const plainForwardedFor: RequestHandler = ({ headers }, _response, next) => {
  const given = headers['x-forwarded-for'];
  if (given !== undefined) {
    headers['x-forwarded-for'] = String(given).split(',').slice(-MAX_ENTRIES).map(plainAddress).join(', ');
  }
  next();
};

/**
 * The address of an entry in its shortest spelling, so that one client has one. Entries are plain (nginx, Envoy, Google), have a
 * port (Azure Application Gateway, AWS with client ports), or are quoted, in brackets, with a zone, or IPv4 mapped into
 * IPv6. `unknown` for all that is no address.
 */
export function plainAddress(entry: string): string {
  const text = entry.trim().replace(/^"(.*)"$/, '$1');
  const { v6, v4 } = NODE.exec(text)?.groups ?? {};
  const [address = ''] = (v6 ?? v4 ?? withoutPort(text)).split('%');
  return isIP(address) === 0 ? UNKNOWN : ipaddr.process(address).toString();
}

/** An IPv6 address without brackets. Where a ninth group follows, it is a port. */
function withoutPort(text: string): string {
  return isIP(text) === 6 ? text : text.slice(0, text.lastIndexOf(':'));
}
