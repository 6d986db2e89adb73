/** Fuzzes the guard's address check. References: Node's BlockList and the ranges of ipaddr.js. */
import assert from 'node:assert/strict';
import { BlockList, isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { parseAddress } from '../../gateway/fetch/address.ts';
import { Refusal } from '../../gateway/fetch/finding.ts';
import { createGuard } from '../../gateway/fetch/guard.ts';
import type { Parser } from './fuzz.ts';

/** Addresses that must be refused: IANA's special-purpose registries, as CIDRs. */
const DENIED = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...[
    '224.0.0.0/4',
    '240.0.0.0/4',
    '168.63.129.16/32',
    '::/96',
    '64:ff9b:1::/48',
    '100::/64',
    '2001::/32',
    '2001:db8::/32',
  ],
  ...['2002::/16', 'fc00::/7', 'fe80::/10', 'ff00::/8'],
];
/**
 * Addresses that are unicast in ipaddr.js and refused by the guard: services inside of clouds, and IPv6 outside the one block that
 * IANA has allocated for global unicast.
 */
const REFUSED_UNICAST = [
  '34.118.224.0/20',
  '161.26.0.0/16',
  '166.8.0.0/14',
  '192.80.8.124/32',
  '168.63.129.16/32',
  '::/3',
  '4000::/2',
  '8000::/1',
  '2001::/23',
  '3fff::/20',
];

const isDenied = within(DENIED);
const isRefusedUnicast = within(REFUSED_UNICAST);
const guard = createGuard({ allow: [], deny: [], allowPrivate: false, ports: [80, 443] });
const anyUrl = new URL('http://example.com/');

export const address: Parser = {
  name: 'address',
  seeds: async () => DENIED.map((cidr) => Buffer.from(ipaddr.parseCIDR(cidr)[0].toByteArray())),
  words: [
    ...[
      '\x7f\0\0\x01',
      '\xa9\xfe\xa9\xfe',
      '\x0a\0\0\x01',
      '\xc0\xa8\0\x01',
      '\0\0\xff\xff',
      '\0\0\x5e\xfe',
      '\x02\0\x5e\xfe',
    ],
    ...['\0\x64\xff\x9b', '\x20\x02', '\x20\x01\0\0', '\xfd\0\x0e\xc2', '\xfe\x80', '\0\0\0\0\0\0\0\0'],
  ],
  /** The input is the address: 16 bytes, or 4. */
  check(input) {
    const size = input.length < 16 ? 4 : 16;
    if (input.length < size) return;
    const bytes = [...input.subarray(0, size)];
    const text = ipaddr.fromByteArray(bytes).toString();
    assert.deepEqual(parseAddress(text)?.toByteArray(), bytes, text);
    checkGuard(text);
  },
};

/** Compares the guard's decision on an address with the references: none too lax, none too strict. */
export function checkGuard(text: string): void {
  const target = embeddedIpv4(text);
  if (isAllowed(text)) {
    assert.ok(!isDenied(target), `${text} is allowed`);
    return;
  }
  const range = ipaddr.parse(target).range();
  assert.ok(range !== 'unicast' || isRefusedUnicast(target) || isIsatap(target), `${text} (${range}) is refused`);
}

function isAllowed(text: string): boolean {
  try {
    guard.checkAddress(text, anyUrl);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/** The IPv4 address within an IPv4-mapped or NAT64 (64:ff9b::/96) address; otherwise the address itself. */
function embeddedIpv4(text: string): string {
  const hex = Buffer.from(ipaddr.parse(text).toByteArray()).toString('hex');
  const [, last] = /^(?:0{20}ffff|0064ff9b0{16})(.{8})$/.exec(hex) ?? [];
  return last ? [...Buffer.from(last, 'hex')].join('.') : text;
}

const isIsatap = (text: string) =>
  /^.{16}0[0-3]005efe/.test(Buffer.from(ipaddr.parse(text).toByteArray()).toString('hex'));

/** One list per family: in a common list every IPv4 address would be in ::/3, as an IPv4-mapped one. */
function within(cidrs: readonly string[]): (address: string) => boolean {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const cidr of cidrs) {
    const [net = '', bits] = cidr.split('/');
    lists[familyOf(net)].addSubnet(net, Number(bits), familyOf(net));
  }
  return (address) => lists[familyOf(address)].check(address, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}
