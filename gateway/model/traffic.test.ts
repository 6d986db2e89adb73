import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOTHING_SENT, type Traffic } from '../domain/traffic.ts';
import { parseCard } from './card.ts';
import { placeOf, roleOf, stickyKeyHash } from './traffic.ts';

const traffic = (yaml: string): Traffic => {
  const { traffic } = parseCard(`name: m\n${yaml}`, '/m');
  assert.ok(traffic);
  return traffic;
};
const requests = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: `r${index}`, sent: NOTHING_SENT }));
const canaries = (split: Traffic, model = 'm', count = 10_000) =>
  requests(count)
    .filter((request) => roleOf(model, split, request) === 'canary')
    .map(({ id }) => id);

test('a share is exact within its binomial noise, and each key has its side', () => {
  for (const percent of [0.5, 10, 50]) {
    const split = traffic(`traffic: {canary: {version: 4, share: ${percent}%}}`);
    const found = canaries(split).length;
    const wanted = 100 * percent;
    const deviation = Math.sqrt(wanted * (1 - percent / 100));
    assert.ok(Math.abs(found - wanted) < 4 * deviation, `${found} of ${wanted}`);
    assert.deepEqual(canaries(split), canaries(split));
  }
  assert.equal(canaries(traffic('traffic: {canary: {version: 4, share: 0%}}')).length, 0);
  assert.equal(canaries(traffic('traffic: {canary: {version: 4, share: 100%}}')).length, 10_000);
  assert.equal(canaries(traffic('traffic: {stable: 4}')).length, 0);
});

test('a key stays with the canary while the share grows, and models split independently', () => {
  const ten = canaries(traffic('traffic: {canary: {version: 4, share: 10%}}'));
  const twenty = new Set(canaries(traffic('traffic: {canary: {version: 4, share: 20%}}')));
  assert.ok(ten.every((id) => twenty.has(id)));
  const other = new Set(canaries(traffic('traffic: {canary: {version: 4, share: 10%}}'), 'other'));
  const both = ten.filter((id) => other.has(id)).length;
  assert.ok(both > 50 && both < 160, `${both} of about 100`);
});

test('the place of a key is the first 48 bits of a SHA-256', () => {
  // python3 -c "import hashlib; print(int(hashlib.sha256(b'm\0user-1').hexdigest()[:12], 16) / 2**48)"
  assert.equal(placeOf('m', 'user-1'), 0.4440670868043597);
});

test('a sticky header or parameter is the key; a request without it is split by its id', () => {
  const split = (sticky: string) => traffic(`traffic: {canary: {version: 4, share: 50%}, sticky: ${sticky}}`);
  const sent = (user: string | undefined) => ({
    header: (name: string) => (name === 'x-user-id' ? user : undefined),
    query: (name: string) => (name === 'user' ? user : undefined),
  });
  for (const sticky of ['header X-User-Id', 'query user']) {
    const roles = (user: string | undefined) =>
      new Set(requests(50).map(({ id }) => roleOf('m', split(sticky), { id, sent: sent(user) })));
    for (const user of ['a', 'b', 'c']) assert.equal(roles(user).size, 1);
    assert.equal(roles(undefined).size, 2);
    assert.equal(roles('').size, 2);
  }
});

test('the id of an instance is the key once the body is read; until then a request is on the stable side', () => {
  const split = traffic('traffic: {canary: {version: 4, share: 100%}, sticky: instance id}');
  const half = traffic('traffic: {canary: {version: 4, share: 50%}, sticky: instance id}');
  assert.equal(roleOf('m', split, { id: 'r', sent: NOTHING_SENT }), 'stable');
  assert.equal(roleOf('m', split, { id: 'r', sent: { ...NOTHING_SENT, instanceId: 'user' } }), 'canary');
  const roles = (instanceId: string | null) =>
    new Set(requests(50).map(({ id }) => roleOf('m', half, { id, sent: { ...NOTHING_SENT, instanceId } })));
  assert.equal(roles('user').size, 1);
  assert.equal(roles(null).size, 2);
});

test('the log has a hash of the key whose beginning is its place', () => {
  const split = traffic('traffic: {canary: {version: 4, share: 50%}, sticky: query user}');
  const sent = { ...NOTHING_SENT, query: () => 'user-1' };
  const hash = stickyKeyHash('m', split, { sent }) ?? '';
  assert.match(hash, /^[\da-f]{16}$/);
  assert.equal(Number.parseInt(hash.slice(0, 12), 16) / 2 ** 48, placeOf('m', 'user-1'));
  assert.equal(stickyKeyHash('m', split, { sent: NOTHING_SENT }), undefined);
  assert.equal(stickyKeyHash('m', traffic('traffic: {stable: 4}'), { sent }), undefined);
});

test('a look-up without an id is on the stable side', () => {
  assert.equal(roleOf('m', traffic('traffic: {canary: {version: 4, share: 100%}}'), {}), 'stable');
});
