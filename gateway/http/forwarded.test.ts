import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Request, Response } from 'express';
import { clientAddress, plainAddress } from '../door/client-address.ts';
import { plainForwardedFor } from './forwarded.ts';

test('A13: an address is the same however a proxy writes it', () => {
  const spellings = {
    '203.0.113.7': [
      '203.0.113.7', // nginx, Envoy, Google
      ' 203.0.113.7 ',
      '203.0.113.7:50123', // Azure Application Gateway, AWS with client ports
      '"203.0.113.7:50123"', // RFC 7239
      '203.0.113.7:_port',
      '::ffff:203.0.113.7', // a proxy that listens on IPv6
      '[::FFFF:203.0.113.7]:50123',
      '::ffff:cb00:7107',
    ],
    '2001:db8::7': [
      '2001:db8::7',
      '2001:DB8:0:0:0:0:0:7',
      '2001:0db8:0000:0000:0000:0000:0000:0007',
      '[2001:db8::7]',
      '[2001:db8::7]:50123',
      '"[2001:db8::7]:50123"',
      '2001:db8:0:0:0:0:0:7:50123', // a port without brackets
    ],
    'fe80::1': ['fe80::1%eth0', '[fe80::1%25eth0]:80'],
  };
  for (const [address, entries] of Object.entries(spellings)) {
    for (const entry of entries) assert.equal(plainAddress(entry), address, entry);
  }
});

test('A13: all that is no address is one client', () => {
  for (const entry of [
    '',
    'unknown',
    '_hidden',
    '-',
    '1.2.3',
    '01.2.3.4',
    '1.2.3.4.5',
    '[]',
    '[1.2.3.4',
    'a:b',
    '%',
    '"',
  ]) {
    assert.equal(plainAddress(entry), 'unknown', entry);
  }
});

test('A13: the last entries of a long header are kept, in their order', () => {
  const headers: Record<string, string> = { 'x-forwarded-for': `${'9.9.9.9,'.repeat(5000)}1.1.1.1:5, [2001:DB8::1]` };
  plainForwardedFor({ headers } as unknown as Request, {} as Response, () => undefined);
  const entries = headers['x-forwarded-for']?.split(', ') ?? [];
  assert.deepEqual([entries.length, ...entries.slice(-3)], [32, '9.9.9.9', '1.1.1.1', '2001:db8::1']);
});

test('the client is the first address from the gateway on that is no trusted proxy', () => {
  const trusts = (address: string, hops: number) => address.startsWith('10.') || hops === 0;
  assert.equal(clientAddress('192.0.2.1', undefined, trusts), '192.0.2.1');
  assert.equal(
    clientAddress('192.0.2.1', '203.0.113.7', () => false),
    '192.0.2.1',
  );
  assert.equal(clientAddress('192.0.2.1', '203.0.113.7:5000', trusts), '203.0.113.7');
  assert.equal(clientAddress('192.0.2.1', '198.51.100.9, 203.0.113.7, 10.0.0.1', trusts), '203.0.113.7');
  assert.equal(clientAddress('10.0.0.2', '10.0.0.1', trusts), '10.0.0.1');
});
