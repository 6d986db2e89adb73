import assert from 'node:assert/strict';
import { test } from 'node:test';
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
  const others = ['c', 'd', 'e', 'f'].map((name) => limits.enter(host(name), 'u'));
  assert.throws(() => limits.enter(host('g'), 'v'), overloaded, 'eight wait in all');
  for (const place of [...one, ...more, ...others]) place[Symbol.dispose]();
  limits.enter(host('a'), 't')[Symbol.dispose]();
});
