import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { canonical, contains, parseAddress, parseNet, rangeOf, reachesOf } from './address.ts';

function reachOf(text: string): string {
  const address = parseAddress(text);
  assert.ok(address, text);
  return rangeOf(canonical(address)).reach;
}

/** Rows of the hostile table. Each address is written as a URL's host is after parsing. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'A1 loopback': ['127.0.0.1', '127.255.255.255'],
  'A5 this network': ['0.0.0.0', '0.255.255.255'],
  'A7 IPv6 loopback and unspecified': ['::1', '::'],
  'A8 IPv4-mapped': ['::ffff:127.0.0.1', '::ffff:a9fe:a9fe', '::ffff:10.0.0.1'],
  'A9 IPv4-compatible': ['::127.0.0.1', '::10.0.0.1', '::8.8.8.8'],
  'A10 NAT64': ['64:ff9b::7f00:1', '64:ff9b::a9fe:a9fe', '64:ff9b::10.0.0.1'],
  'A11 local NAT64': ['64:ff9b:1:7f00:0:100::', '64:ff9b:1::7f00:1', '64:ff9b:1::808:808'],
  'A12 6to4': ['2002:7f00:1::', '2002:a9fe:a9fe::', '2002:808:808::'],
  'A13 Teredo around 10.0.0.1': ['2001:0:4136:e378:8000:63bf:f5ff:fffe'],
  'A14 ISATAP under a public prefix': ['2a00:1450::5efe:10.0.0.1', '2a00:1450::200:5efe:10.0.0.1'],
  'A15 carrier-grade NAT': ['100.64.0.1', '100.127.255.255'],
  'A16 private, benchmarking, documentation, future use': [
    ...['10.0.0.0', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.255.255'],
    ...['198.18.0.1', '198.19.255.255', '192.0.2.1', '198.51.100.1', '203.0.113.1', '192.0.0.1', '192.88.99.1'],
    ...['240.0.0.1', '255.255.255.255'],
  ],
  'A17 IPv6 private': ['fc00::1', 'fdff::1', 'fe80::1', 'febf::1', 'fec0::1', '2001:db8::1', '3fff::1', '100::1'],
  'A18 metadata': [
    '169.254.169.254',
    '169.254.170.2',
    '168.63.129.16',
    'fd00:ec2::254',
    '100.100.100.200',
    '192.80.8.124',
  ],
  'A18 services inside IBM Cloud': ['161.26.0.10', '166.8.0.1', '166.11.255.255'],
  'A19 multicast': ['224.0.0.1', '239.255.255.255', 'ff02::1'],
  'A20 Services of a GKE cluster': ['34.118.224.1', '34.118.239.255'],
  'not allocated': ['4000::1', '1::1', '::ffff:0:127.0.0.1', '5f00::1'],
};

const PUBLIC = [
  ...['8.8.8.8', '100.63.255.255', '100.128.0.1', '172.15.255.255', '172.32.0.1', '192.167.255.255', '11.0.0.1'],
  ...['198.17.255.255', '198.20.0.1', '223.255.255.255', '34.118.223.255', '34.118.240.1', '168.63.129.17'],
  ...['2606:4700::1111', '2001:4860:4860::8888', '2003::1', '::ffff:8.8.8.8', '64:ff9b::8.8.8.8', '2a00::5eff:1'],
];

describe('the address table', () => {
  for (const [id, addresses] of Object.entries(REFUSED)) {
    test(`${id}: is not public`, () => {
      for (const address of addresses) assert.notEqual(reachOf(address), 'public', address);
    });
  }

  test('A15 and other boundaries: addresses just outside each range are public', () => {
    for (const address of PUBLIC) assert.equal(reachOf(address), 'public', address);
  });

  test('metadata addresses and development addresses are told apart', () => {
    for (const address of ['169.254.169.254', '::ffff:a9fe:a9fe', 'fd00:ec2::254', '168.63.129.16']) {
      assert.equal(reachOf(address), 'metadata', address);
    }
    for (const address of ['127.0.0.1', '::1', '10.1.2.3', '192.168.1.1', '172.17.0.2', 'fd12::1']) {
      assert.equal(reachOf(address), 'private', address);
    }
  });
});

describe('reachesOf', () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    '8.8.8.0/24': ['public'],
    '10.0.0.0/8': ['private'],
    '169.254.169.254/31': ['metadata'],
    '168.63.129.16/31': ['metadata', 'public'],
    '8.0.0.0/6': ['private', 'public'],
    '::/0': ['metadata', 'private', 'public', 'reserved'],
    '4000::/2': ['reserved'],
  };
  for (const [text, reaches] of Object.entries(cases)) {
    test(text, () => {
      const net = parseNet(text);
      assert.ok(net);
      assert.deepEqual([...reachesOf(net)].toSorted(), reaches);
    });
  }
});

/** Every way to embed an IPv4 address in an IPv6 address, as the 16 bytes of the result. */
const WRAPPINGS: Readonly<Record<string, (v4: readonly number[]) => number[]>> = {
  mapped: (v4) => [...Array(10).fill(0), 0xff, 0xff, ...v4],
  compatible: (v4) => [...Array(12).fill(0), ...v4],
  translated: (v4) => [...Array(8).fill(0), 0xff, 0xff, 0, 0, ...v4],
  NAT64: (v4) => [0, 0x64, 0xff, 0x9b, ...Array(8).fill(0), ...v4],
  'local NAT64 /96': (v4) => [0, 0x64, 0xff, 0x9b, 0, 1, ...Array(6).fill(7), ...v4],
  'local NAT64 /48': ([a = 0, b = 0, c = 0, d = 0]) => [0, 0x64, 0xff, 0x9b, 0, 1, a, b, 0, c, d, 0, 0, 0, 0, 0],
  '6to4': (v4) => [0x20, 0x02, ...v4, ...Array(10).fill(1)],
  'Teredo client': (v4) => [0x20, 1, 0, 0, 8, 8, 8, 8, 0, 0, 1, 1, ...v4.map((byte) => byte ^ 0xff)],
  'Teredo server': (v4) => [0x20, 1, 0, 0, ...v4, 0, 0, 1, 1, 1, 1, 1, 1],
  ISATAP: (v4) => [0x2a, 0, 0x14, 0x50, 0, 0, 0, 0, 0, 0, 0x5e, 0xfe, ...v4],
  'ISATAP universal': (v4) => [0x2a, 0, 0x14, 0x50, 0, 0, 0, 0, 2, 0, 0x5e, 0xfe, ...v4],
};

/** Private and metadata IPv4 addresses: a prefix of the table and random lower bits. */
const privateIPv4 = fc
  .tuple(
    fc.constantFrom('10/8', '127/8', '172.16/12', '192.168/16', '169.254/16', '100.64/10', '0/8'),
    fc.nat(2 ** 32 - 1),
  )
  .map(([prefix, random]) => {
    const [base = '', bits = ''] = prefix.split('/');
    const head = [...base.split('.'), '0', '0', '0']
      .slice(0, 4)
      .reduce((value, octet) => value * 256 + Number(octet), 0);
    const value = head + (random % 2 ** (32 - Number(bits)));
    return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  });

/** Writes an address as the WHATWG URL parser accepts it: one to four parts, each decimal, octal or hexadecimal. */
function spell(octets: readonly number[], parts: number, base: readonly string[]): string {
  const last = octets.slice(parts - 1).reduce((value, octet) => value * 256 + octet, 0);
  const numbers = [...octets.slice(0, parts - 1), last];
  const write = {
    decimal: String,
    octal: (n: number) => `0${n.toString(8)}`,
    hex: (n: number) => `0x${n.toString(16)}`,
  };
  return numbers.map((number, i) => write[base[i] as keyof typeof write](number)).join('.');
}

describe('properties of the address table', () => {
  test('A3, A4: a private IPv4 address is not public in any spelling', () => {
    const base = fc.constantFrom('decimal', 'octal', 'hex');
    fc.assert(
      fc.property(
        privateIPv4,
        fc.integer({ min: 1, max: 4 }),
        fc.tuple(base, base, base, base),
        (octets, parts, bases) => {
          const host = new URL(`http://${spell(octets, parts, bases)}/`).hostname;
          assert.equal(host, octets.join('.'));
          assert.notEqual(reachOf(host), 'public');
        },
      ),
      { numRuns: 2000 },
    );
  });

  for (const [name, wrap] of Object.entries(WRAPPINGS)) {
    test(`A8 to A14: a private IPv4 address embedded as ${name} is not public`, () => {
      fc.assert(
        fc.property(privateIPv4, (octets) => {
          const host = new URL(`http://[${ipaddr.fromByteArray(wrap(octets)).toString()}]/`).hostname.slice(1, -1);
          assert.notEqual(reachOf(host), 'public', host);
        }),
        { numRuns: 500 },
      );
    });
  }
});

describe('parsing addresses and nets', () => {
  test('only the standard notation is parsed as an address', () => {
    for (const text of ['', 'localhost', '127.1', '0x7f.0.0.1', '2130706433', 'fe80::1%eth0', '[::1]', '1.2.3.4.5']) {
      assert.equal(parseAddress(text), undefined, text);
    }
  });

  test('a net is a CIDR or a single address', () => {
    for (const text of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/8/8', 'example.com/8', '::/129', '10/8']) {
      assert.equal(parseNet(text), undefined, text);
    }
    const [net, one, all] = ['10.0.0.0/8', '10.0.0.1', '::/0'].map(parseNet);
    const address = parseAddress('10.0.0.1');
    const other = parseAddress('10.0.0.2');
    assert.ok(net && one && all && address && other);
    assert.deepEqual([contains(net, address), contains(one, address), contains(all, address)], [true, true, false]);
    assert.deepEqual([contains(net, other), contains(one, other)], [true, false]);
  });
});
