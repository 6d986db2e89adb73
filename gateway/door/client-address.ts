/** The address of a client, behind proxies too. */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Entries of X-Forwarded-For that are looked at, from the last. No chain of proxies is longer. */
const MAX_ENTRIES = 32;
/** What RFC 7239 calls a client whose address the proxy does not tell. */
const UNKNOWN = 'unknown';

/** `node` of RFC 7239 (6): an IPv4 address or an IPv6 address in brackets, and a port. */
const NODE = /^(?:\[(?<v6>[^\]]*)\]|(?<v4>[\d.]+))(?::[\w.-]*)?$/;

/** Whether an address is that of a trusted proxy. `hops`: the proxies between it and the gateway. */
export type Trusts = (address: string, hops: number) => boolean;

/** The first address, seen from the gateway, that is no trusted proxy. `forwardedFor`: the header X-Forwarded-For. */
export function clientAddress(socketAddress: string, forwardedFor: string | undefined, trusts: Trusts): string {
  const chain = [socketAddress, ...(forwardedFor === undefined ? [] : addressesIn(forwardedFor).reverse())];
  const client = chain.findIndex((address, hops) => hops === chain.length - 1 || !trusts(address, hops));
  return chain[client] ?? socketAddress;
}

/** The entries of X-Forwarded-For as plain addresses. */
export function addressesIn(forwardedFor: string): string[] {
  return forwardedFor.split(',').slice(-MAX_ENTRIES).map(plainAddress);
}

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
