/** What counts as one client: its IPv4 address, or its IPv6 network. */
import ipaddr from 'ipaddr.js';

/** An IPv6 client has all addresses of a /64 network: the first four groups of 16 bits. */
const NETWORK_GROUPS = 4;

/** Ranges of IPv6 whose addresses have the IPv4 address of the client in them, and where: the first of its four bytes. */
const EMBEDDING: readonly (readonly [cidr: string, at: number, inverted: boolean])[] = [
  ['::ffff:0:0/96', 12, false], // IPv4-mapped, RFC 4291
  ['::ffff:0:0:0/96', 12, false], // IPv4-translated, RFC 2765
  ['64:ff9b::/96', 12, false], // NAT64, RFC 6052
  ['2002::/16', 2, false], // 6to4, RFC 3056
  ['2001::/32', 12, true], // Teredo, RFC 4380
];
/**
 * NAT64 of one's own network (RFC 8215). Where the IPv4 address is in it depends on the length of the prefix that the network
 * has chosen. Its translator makes one address for each client.
 */
const LOCAL_NAT64 = '64:ff9b:1::/48';

const parse = (cidr: string) => ipaddr.IPv6.parseCIDR(cidr);
const TABLE = EMBEDDING.map(([cidr, at, inverted]) => ({ net: parse(cidr), at, inverted }));
const WHOLE = parse(LOCAL_NAT64);

/** The client of an address, as text: all addresses that one client can send from have the same. Other text stays as it is. */
export function clientNetwork(text: string): string {
  if (!ipaddr.isValid(text)) return text;
  const address = ipaddr.parse(text);
  if (!(address instanceof ipaddr.IPv6)) return address.toString();
  const row = TABLE.find(({ net }) => address.match(net));
  if (row) return ipv4At(address, row);
  return address.match(WHOLE) ? address.toString() : address.parts.slice(0, NETWORK_GROUPS).join(':');
}

function ipv4At(address: ipaddr.IPv6, { at, inverted }: { readonly at: number; readonly inverted: boolean }): string {
  const bytes = address.toByteArray().slice(at, at + 4);
  return ipaddr.fromByteArray(bytes.map((byte) => (inverted ? 255 - byte : byte))).toString();
}
