import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { GatewayError } from '../errors.ts';
import { SourceLimits } from './source-limits.ts';

const overloaded = (error: unknown) => error instanceof GatewayError && error.kind === 'overloaded';
const host = (name: string) => new Set([name]);
const { signal } = new AbortController();

test('requests are bounded by host, by tenant and in all, and each bound opens again', () => {
  const limits = new SourceLimits(2);
  const one = [limits.enter(host('a'), 't', signal), limits.enter(host('a'), 't', signal)];
  assert.throws(() => limits.enter(host('a'), 'u', signal), overloaded, 'two wait for host a');
  assert.throws(() => limits.enter(new Set(['b', 'a']), 'u', signal), overloaded, 'one of its hosts is full');
  const more = [limits.enter(host('b'), 't', signal), limits.enter(host('b'), 't', signal)];
  assert.throws(() => limits.enter(host('c'), 't', signal), overloaded, 'four wait of tenant t');
  const others = ['c', 'd'].map((name) => limits.enter(host(name), 'u', signal));
  assert.throws(() => limits.enter(host('g'), 'v', signal), overloaded, 'six wait in all');
  for (const place of [...one, ...more, ...others]) place[Symbol.dispose]();
  limits.enter(host('a'), 't', signal)[Symbol.dispose]();
});

/** A clock that stands still until the result moves it on. */
function stopClock(t: TestContext): (ms: number) => void {
  let nowMs = 0;
  t.mock.method(performance, 'now', () => nowMs);
  return (ms) => {
    nowMs += ms;
  };
}

test('A04: the request that has waited longest gives its place to the next one', (t) => {
  const pass = stopClock(t);
  const limits = new SourceLimits(1);
  const first = limits.enter(host('slow-1'), 't', signal);
  pass(100);
  const second = limits.enter(host('slow-2'), 't', signal);
  assert.throws(() => limits.enter(host('quick'), 't', signal), overloaded, 'none has waited long');
  pass(200);
  const quick = limits.enter(host('quick'), 't', signal);
  assert.ok(overloaded(first.signal.reason));
  assert.throws(() => limits.enter(host('quicker'), 't', signal), overloaded, 'the second one has not waited long');
  first[Symbol.dispose]();
  quick[Symbol.dispose]();
  limits.enter(host('other'), 't', signal);
  assert.equal(second.signal.aborted, false);
});

test('A04: requests for a slow host take no place from others', (t) => {
  const pass = stopClock(t);
  const limits = new SourceLimits(2);
  const waiting = ['a', 'a', 'b', 'c'].map((name) => limits.enter(host(name), 't', signal));
  pass(1000);
  assert.throws(() => limits.enter(new Set(['b', 'd']), 't', signal), overloaded);
  assert.ok(waiting.every(({ signal }) => !signal.aborted));
});

test('A04: when there are too many in all, the tenant with most of them loses a place', (t) => {
  const pass = stopClock(t);
  const limits = new SourceLimits(2);
  const small = limits.enter(host('a'), 'small', signal);
  const large = ['b', 'c', 'd'].map((name) => limits.enter(host(name), 'large', signal));
  for (const name of ['e', 'f']) limits.enter(host(name), 'medium', signal);
  pass(1000);
  limits.enter(host('i'), 'new', signal);
  assert.deepEqual(
    [small, ...large].map(({ signal }) => signal.aborted),
    [false, true, false, false],
  );
});
