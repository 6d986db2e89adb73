import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ModelCard, parseCard } from '../model/card.ts';
import type { Routed } from '../model/route.ts';
import { Guard, type Withdrawal } from './guard.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const BOUNDS =
  'window: 5m, min_requests: 200, max_error_rate_increase: 1%, max_latency_ratio: 1.5, min_top1_agreement: 95%';

function cardOf({
  share = '10%',
  guard = BOUNDS,
  canary = 4,
}: {
  share?: string;
  guard?: string;
  canary?: number;
} = {}) {
  const traffic = `traffic: {stable: 3, canary: {version: ${canary}, share: ${share}}}\nguard: {${guard}}`;
  return parseCard(`name: m\nimage: {size: [4, 4], scale: tf}\nclasses: [a, b]\n${traffic}`, '/m');
}

function routed(card: ModelCard, role: 'stable' | 'canary', version = role === 'canary' ? 4 : 3): Routed {
  const metadata = { version, protocol: 'tf-serving', signatures: new Map() } as const;
  return { card, version, metadata, servers: new Set(), role };
}

function comparison(isSame: boolean) {
  const ids = { time: new Date(), requestId: 'r', traceId: 't', model: 'm' };
  return { ...ids, version: 4, against: 3, ms: 10, againstMs: 10, rows: [{ row: 0, isSame, distance: 0 }] };
}

/** Mulberry32 (T. Ettinger, 2017): numbers from 0 to below 1. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Canary = { readonly errorRate?: number; readonly slowness?: number; readonly agreement?: number };

/**
 * Sends 50 requests a second for some minutes, a tenth of them to the canary. The stable version fails one in a hundred, and its times are
 * log-normal: 20 ms in the middle, one in a hundred above 100 ms.
 */
function simulate(seed: number, minutes: number, { errorRate = 0.01, slowness = 1, agreement = 0.98 }: Canary) {
  const random = randomOf(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let nowMs = 0;
  let minimumMs: number | undefined;
  let canaries = 0;
  const withdrawals: (Withdrawal & { readonly lateMs: number })[] = [];
  const onWithdrawal = (one: Withdrawal) => withdrawals.push({ ...one, lateMs: nowMs - (minimumMs ?? Number.NaN) });
  const guard = new Guard({ log: silent, onWithdrawal, now: () => nowMs });
  const card = cardOf();
  for (; nowMs < 60_000 * minutes && withdrawals.length === 0; nowMs += 20) {
    const role = random() < 0.1 ? 'canary' : 'stable';
    const isCanary = role === 'canary';
    if (isCanary) canaries += 1;
    if (canaries === 200) minimumMs ??= nowMs;
    const outcome = random() < (isCanary ? errorRate : 0.01) ? 'error' : 'ok';
    const predictMs = 20 * Math.exp(0.7 * normal()) * (isCanary ? slowness : 1);
    const one = routed(card, role);
    guard.count({ routed: one, outcome, predictMs });
    if (isCanary && guard.needsAgreement(one)) guard.compared(comparison(random() < agreement));
  }
  return { withdrawals, card, guard };
}

for (const [what, canary, reason] of [
  ['one request in five fails', { errorRate: 0.2 }, 'errors'],
  ['it is twice as slow', { slowness: 2 }, 'latency'],
  ['its scores are shuffled', { agreement: 0.15 }, 'agreement'],
] as const)
  test(`a canary loses its share within 30 s of the minimum, in ten of ten runs: ${what}`, (t) => {
    const late: number[] = [];
    for (let seed = 1; seed <= 10; seed += 1) {
      const { withdrawals, card, guard } = simulate(seed, 10, canary);
      const [withdrawal] = withdrawals;
      assert.equal(withdrawal?.reason, reason, `seed ${seed}`);
      assert.ok(withdrawal.lateMs <= 30_000, `seed ${seed}: ${withdrawal.lateMs} ms after the minimum`);
      assert.deepEqual([withdrawal.model, withdrawal.version], ['m', 4]);
      assert.equal(guard.withdrawn(card)?.text, withdrawal.text);
      late.push(withdrawal.lateMs);
      if (seed === 1) t.diagnostic(withdrawal.text);
    }
    t.diagnostic(`${Math.max(...late)} ms after the minimum at most`);
  });

test('a good canary keeps its share in ten runs of ten minutes', () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const { withdrawals } = simulate(seed, 10, {});
    assert.deepEqual(withdrawals, [], `seed ${seed}`);
  }
});

test('nothing is judged below the minimum of requests, nor without requests of the stable version', () => {
  const guard = new Guard({ log: silent, onWithdrawal: () => assert.fail('withdrawn') });
  const card = cardOf({ guard: 'min_requests: 100, max_error_rate_increase: 1%' });
  for (let count = 0; count < 99; count += 1) {
    guard.count({ routed: routed(card, 'stable'), outcome: 'ok', predictMs: 1 });
    guard.count({ routed: routed(card, 'canary'), outcome: 'error', predictMs: 1 });
  }
  const alone = cardOf({ share: '100%', guard: 'min_requests: 100, max_error_rate_increase: 1%' });
  for (let count = 0; count < 500; count += 1) {
    guard.count({ routed: routed(alone, 'canary'), outcome: 'error', predictMs: 1 });
  }
});

/** A guard whose canary has lost its share, because every request failed. */
function withdrawn() {
  let nowMs = 0;
  const events: Withdrawal[] = [];
  const warnings: object[] = [];
  const log = { ...silent, warn: (fields: object) => warnings.push(fields) };
  const guard = new Guard({ log, onWithdrawal: (one) => events.push(one), now: () => nowMs });
  const fail = (card: ModelCard, version = 4) => {
    for (let count = 0; count < 250; count += 1) {
      nowMs += 20;
      guard.count({ routed: routed(card, 'stable'), outcome: 'ok', predictMs: 1 });
      guard.count({ routed: routed(card, 'canary', version), outcome: 'error', predictMs: undefined });
    }
  };
  const card = cardOf();
  fail(card);
  return { guard, card, fail, events, warnings };
}

test('the event is told once, with its reason in words', () => {
  const { guard, card, fail, events, warnings } = withdrawn();
  fail(card);
  assert.equal(events.length, 1);
  assert.equal(warnings.length, 1);
  assert.match(
    events[0]?.text ?? '',
    /^version 4 had 2\d\d requests; its error rate is 100\.0 percentage points above/,
  );
  assert.deepEqual(warnings[0], { model: 'm', version: 4, reason: 'errors', detail: events[0]?.text });
  assert.equal(guard.needsAgreement({ card }), false);
});

test('the verdict stays while model.yaml is read again, and ends with another share, bound or version', () => {
  for (const [changes, isWithdrawn] of [
    [{}, true],
    [{ share: '20%' }, false],
    [{ guard: 'max_error_rate_increase: 2%' }, false],
    [{ canary: 5 }, false],
  ] as const) {
    const { guard } = withdrawn();
    assert.equal(guard.withdrawn(cardOf(changes)) !== undefined, isWithdrawn, JSON.stringify(changes));
  }
  const { guard, card } = withdrawn();
  guard.withdrawn(parseCard('name: m', '/m'));
  assert.equal(guard.withdrawn(card), undefined, 'a canary that was taken away and comes back is a new trial');
});

test('a label that moves to another version is a new trial', () => {
  const { guard, card, fail, events } = withdrawn();
  guard.count({ routed: routed(card, 'canary', 5), outcome: 'ok', predictMs: 1 });
  assert.equal(guard.withdrawn(card), undefined);
  fail(card, 5);
  assert.deepEqual(
    events.map(({ version }) => version),
    [4, 5],
  );
});

test('a model without a guard is not judged, and models that are gone are forgotten', () => {
  const { guard, card } = withdrawn();
  const without = { ...parseCard('name: n\ntraffic: {canary: {version: 4, share: 10%}}', '/n') };
  guard.count({ routed: routed(without, 'canary'), outcome: 'error', predictMs: 1 });
  assert.equal(guard.withdrawn(without), undefined);
  guard.setModels(new Map());
  assert.equal(guard.withdrawn(card), undefined);
});
