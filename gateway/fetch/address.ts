/** Classifies IP addresses as public, private, metadata or reserved, by one table. */
import { isIP, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type Net = readonly [base: Address, bits: number];

/**
 * `private`: loopback and internal networks. `metadata`: where clouds have services that return credentials, among them
 * all link-local addresses. `reserved`: no image host can have such an address.
 */
export type Reach = 'public' | 'private' | 'metadata' | 'reserved';
export type Range = { readonly reach: Reach; readonly name: string };

/**
 * The first row that contains an address applies. IPv6 is public only in 2000::/3, the one block that IANA allocates
 * from. Sources: IANA's IPv4 and IPv6 Special-Purpose Address Registries; the cloud providers' manuals for metadata.
 */
const RANGES: ReadonlyArray<readonly [cidr: string, reach: Reach, name: string]> = [
  ['169.254.169.254/32', 'metadata', 'instance metadata of AWS, Azure, Google Cloud and others'],
  ['169.254.170.2/32', 'metadata', 'AWS ECS task credentials'],
  ['169.254.170.23/32', 'metadata', 'AWS EKS pod identity'],
  ['169.254.0.23/32', 'metadata', 'Tencent Cloud metadata'],
  ['169.254.42.42/32', 'metadata', 'Scaleway metadata'],
  ['169.254.169.252/32', 'metadata', 'Google Kubernetes Engine metadata server'],
  ['169.254.0.0/16', 'metadata', 'link-local, RFC 3927'],
  ['168.63.129.16/32', 'metadata', 'Azure WireServer'],
  ['192.0.0.192/32', 'metadata', 'Oracle Cloud metadata'],
  ['100.100.100.200/32', 'metadata', 'Alibaba Cloud metadata'],
  ['192.80.8.124/32', 'metadata', 'Equinix Metal metadata'],
  ['fd00:ec2::254/128', 'metadata', 'AWS instance metadata'],
  ['fd00:ec2::23/128', 'metadata', 'AWS EKS pod identity'],
  ['fd20:ce::254/128', 'metadata', 'Google Cloud metadata'],
  ['fd00:42::42/128', 'metadata', 'Scaleway metadata'],
  ['fd00:c1::a9fe:a9fe/128', 'metadata', 'Oracle Cloud metadata'],
  ['fd00:a9fe:a9fe::1/128', 'metadata', 'Akamai (Linode) metadata'],
  ['fe80::/10', 'metadata', 'link-local, RFC 4291'],

  ['0.0.0.0/8', 'reserved', 'this network, RFC 791'],
  ['10.0.0.0/8', 'private', 'private, RFC 1918'],
  ['100.64.0.0/10', 'private', 'carrier-grade NAT, RFC 6598'],
  ['127.0.0.0/8', 'private', 'loopback'],
  ['172.16.0.0/12', 'private', 'private, RFC 1918'],
  ['192.168.0.0/16', 'private', 'private, RFC 1918'],
  ['34.118.224.0/20', 'private', 'default range of GKE Services'],
  ['161.26.0.0/16', 'private', 'IBM Cloud infrastructure services'],
  ['166.8.0.0/14', 'private', 'IBM Cloud service endpoints'],
  ['192.0.0.0/24', 'reserved', 'IETF protocol assignments, RFC 6890'],
  ['192.0.2.0/24', 'reserved', 'documentation, RFC 5737'],
  ['192.88.99.0/24', 'reserved', '6to4 relays, RFC 7526'],
  ['198.18.0.0/15', 'reserved', 'benchmarking, RFC 2544'],
  ['198.51.100.0/24', 'reserved', 'documentation, RFC 5737'],
  ['203.0.113.0/24', 'reserved', 'documentation, RFC 5737'],
  ['224.0.0.0/4', 'reserved', 'multicast'],
  ['240.0.0.0/4', 'reserved', 'for future use, and broadcast'],
  ['0.0.0.0/0', 'public', 'public'],

  ['::/128', 'reserved', 'unspecified'],
  ['::1/128', 'private', 'loopback'],
  ['fc00::/7', 'private', 'unique local, RFC 4193'],
  ['fec0::/10', 'private', 'site-local, RFC 3879'],
  ['::/96', 'reserved', 'IPv4-compatible, RFC 4291'],
  ['::ffff:0:0:0/96', 'reserved', 'IPv4-translated, RFC 2765'],
  ['64:ff9b:1::/48', 'reserved', 'local NAT64, RFC 8215'],
  ['100::/64', 'reserved', 'discard-only, RFC 6666'],
  ['ff00::/8', 'reserved', 'multicast'],
  ['2001::/32', 'reserved', 'Teredo, RFC 4380'],
  ['2001::/23', 'reserved', 'IETF protocol assignments, RFC 2928'],
  ['2001:db8::/32', 'reserved', 'documentation, RFC 3849'],
  ['2002::/16', 'reserved', '6to4, RFC 7526'],
  ['3fff::/20', 'reserved', 'documentation, RFC 9637'],
  ['2000::/3', 'public', 'public'],
];

const TABLE = RANGES.map(([cidr, reach, name]) => ({ net: ipaddr.parseCIDR(cidr), range: { reach, name } }));
const UNALLOCATED: Range = { reach: 'reserved', name: 'not allocated as global unicast' };
const ISATAP: Range = { reach: 'reserved', name: 'ISATAP, RFC 5214' };

/** Prefixes of IPv6 addresses that stand for the IPv4 address in their last four bytes. */
const MAPPED: Net = ipaddr.parseCIDR('::ffff:0:0/96');
const NAT64: Net = ipaddr.parseCIDR('64:ff9b::/96');

/**
 * Parses an address in the standard notation (RFC 4291, dotted IPv4), without a zone. Anything else gives undefined.
 */
export function parseAddress(text: string): Address | undefined {
  if (isIP(text) === 0 || text.includes('%')) return undefined;
  // ipaddr.js reads ::1.2.3.4 as ::ffff:1.2.3.4. The URL parser first rewrites it without dots.
  return ipaddr.parse(isIPv6(text) ? new URL(`http://[${text}]/`).hostname.slice(1, -1) : text);
}

/**
 * Parses `10.0.0.0/8`, `fd00::/8` or a single address. IPv4-mapped addresses are the IPv4 ones: `::ffff:10.0.0.0/104`
 * is 10.0.0.0/8. Anything else gives undefined.
 */
export function parseNet(text: string): Net | undefined {
  const [base = '', bits, ...rest] = text.split('/');
  const address = parseAddress(base);
  if (!address || rest.length > 0) return undefined;
  const width = address.kind() === 'ipv4' ? 32 : 128;
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= width)) return undefined;
  const net: Net = [address, bits === undefined ? width : Number(bits)];
  return isWithin(MAPPED, net) ? [canonical(address), net[1] - MAPPED[1]] : net;
}

/** Whether the CIDR has only NAT64 addresses. */
export const isTranslated = (net: Net): boolean => isWithin(NAT64, net);

const isWithin = (outer: Net, [base, bits]: Net): boolean => bits >= outer[1] && contains(outer, base);

export function contains([base, bits]: Net, address: Address): boolean {
  return base.kind() === address.kind() && address.match(base, bits);
}

/**
 * The address that packets reach. For an IPv4-mapped address (translated by the kernel) and for NAT64's well-known
 * prefix (RFC 6052, used for every IPv4 host on IPv6-only networks) this is the embedded IPv4 address, else the address
 * itself.
 */
export function canonical(address: Address): Address {
  if (!contains(MAPPED, address) && !contains(NAT64, address)) return address;
  return ipaddr.fromByteArray(address.toByteArray().slice(12));
}

/** The range of a canonical address. Tunnel addresses (6to4, Teredo, ISATAP) are reserved, whatever IPv4 they embed. */
export function rangeOf(address: Address): Range {
  const range = TABLE.find(({ net }) => contains(net, address))?.range ?? UNALLOCATED;
  return range.reach === 'public' && isIsatap(address) ? ISATAP : range;
}

/** What the addresses of a net reach. An ISATAP address counts as its prefix. */
export function reachesOf(net: Net): ReadonlySet<Reach> {
  const reaches = new Set<Reach>();
  for (const row of TABLE) {
    if (isWithin(row.net, net)) return reaches.add(row.range.reach);
    if (isWithin(net, row.net)) reaches.add(row.range.reach);
  }
  return reaches.add(UNALLOCATED.reach);
}

/** Whether the net is a single address. */
export const isSingle = ([base, bits]: Net): boolean => bits === base.toByteArray().length * 8;

/** RFC 5214: under any prefix, the interface ids 00-00-5E-FE and 02-00-5E-FE embed an IPv4 address. */
function isIsatap(address: Address): boolean {
  const [, , , , , , , , flags = 0, ...id] = address.toByteArray();
  return (flags & ~0x03) === 0 && id[0] === 0 && id[1] === 0x5e && id[2] === 0xfe;
}
