import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientNetwork } from './client-network.ts';

/** Each line is one client, and none is another one. */
const CLIENTS = {
  'IPv4, in every form that embeds it': [
    '198.51.100.7',
    '::ffff:198.51.100.7',
    '::ffff:c633:6407',
    '::ffff:0:198.51.100.7',
    '64:ff9b::198.51.100.7',
    '64:ff9b::c633:6407',
    '2002:c633:6407::1',
    '2002:c633:6407:2::1',
    '2001:0:4136:e378:8000:63bf:39cc:9bf8',
    '2001:0:c000:201:0:ffff:39cc:9bf8',
  ],
  'another IPv4 address': ['198.51.100.8', '64:ff9b::198.51.100.8', '2002:c633:6408::1'],
  'one NAT64 client of a local network': ['64:ff9b:1::c633:6407', '64:ff9b:1:0:0:0:198.51.100.7'],
  'another one': ['64:ff9b:1::c633:6408'],
  'an IPv6 network': ['2a00:1450:1:2::1', '2a00:1450:1:2:ffff::'],
  'another IPv6 network': ['2a00:1450:1:3::1'],
  'an IPv6 network beside Teredo': ['2001:1:4136:e378::1', '2001:1:4136:e378::2'],
  loopback: ['::1'],
};

test('all addresses that one client can send from count as one, and those of others do not', () => {
  const networks = Object.entries(CLIENTS).map(([name, addresses]) => {
    const [first, ...others] = new Set(addresses.map(clientNetwork));
    assert.deepEqual(others, [], name);
    return first;
  });
  assert.equal(new Set(networks).size, networks.length);
  assert.equal(networks[0], '198.51.100.7');
});

test('what is no address stays as it is', () => {
  for (const text of ['unknown', '', '1.2.3.4:5']) assert.equal(clientNetwork(text), text);
});
