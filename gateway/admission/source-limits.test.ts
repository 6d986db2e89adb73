import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { GatewayError } from '../errors.ts';
import { SourceLimits } from './source-limits.ts';

const overloaded = (error: unknown) => error instanceof GatewayError && error.kind === 'overloaded';
const host = (name: string) => new Set([name]);

test('requests are bounded by host, by tenant and in all, and each bound opens again', () => {
  const limits = new SourceLimits(2);
  const one = [limits.enter(host('a'), 't'), limits.enter(host('a'), 't')];
  assert.throws(() => limits.enter(host('a'), 'u'), overloaded, 'two wait for host a');
  assert.throws(() => limits.enter(new Set(['b', 'a']), 'u'), overloaded, 'one of its hosts is full');
  const more = [limits.enter(host('b'), 't'), limits.enter(host('b'), 't')];
  assert.throws(() => limits.enter(host('c'), 't'), overloaded, 'four wait of tenant t');
  const others = ['c', 'd'].map((name) => limits.enter(host(name), 'u'));
  assert.throws(() => limits.enter(host('g'), 'v'), overloaded, 'six wait in all');
  for (const place of [...one, ...more, ...others]) place[Symbol.dispose]();
  limits.enter(host('a'), 't')[Symbol.dispose]();
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
  const first = limits.enter(host('slow-1'), 't');
  pass(100);
  const second = limits.enter(host('slow-2'), 't');
  assert.throws(() => limits.enter(host('quick'), 't'), overloaded, 'none has waited long');
  pass(200);
  const quick = limits.enter(host('quick'), 't');
  assert.ok(overloaded(first.signal.reason));
  assert.throws(() => limits.enter(host('quicker'), 't'), overloaded, 'the second one has not waited long');
  first[Symbol.dispose]();
  quick[Symbol.dispose]();
  limits.enter(host('other'), 't');
  assert.equal(second.signal.aborted, false);
});

test('A04: requests for a slow host take no place from others', (t) => {
  const pass = stopClock(t);
  const limits = new SourceLimits(2);
  const waiting = ['a', 'a', 'b', 'c'].map((name) => limits.enter(host(name), 't'));
  pass(1000);
  assert.throws(() => limits.enter(new Set(['b', 'd']), 't'), overloaded);
  assert.ok(waiting.every(({ signal }) => !signal.aborted));
});

test('A04: when there are too many in all, the tenant with most of them loses a place', (t) => {
  const pass = stopClock(t);
  const limits = new SourceLimits(2);
  const small = limits.enter(host('a'), 'small');
  const large = ['b', 'c', 'd'].map((name) => limits.enter(host(name), 'large'));
  for (const name of ['e', 'f']) limits.enter(host(name), 'medium');
  pass(1000);
  limits.enter(host('i'), 'new');
  assert.deepEqual(
    [small, ...large].map(({ signal }) => signal.aborted),
    [false, true, false, false],
  );
});
