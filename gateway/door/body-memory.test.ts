import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { ByteBudget } from '../machine/byte-budget.ts';
import { boundBodyMemory, type HoldBody, SMALL_BODIES_BYTES } from './body-memory.ts';

const KIB = 1024;
const REFUSED = { kind: 'overloaded', status: 503 };

function startBody(hold: HoldBody) {
  const response = new EventEmitter() as ServerResponse;
  return { ...hold(response), close: () => void response.emit('close') };
}

test('A01: a body that does not fit is refused, and its memory is free for others once it is released', () => {
  const hold = boundBodyMemory(new ByteBudget(100 * KIB));
  const [first, second] = [startBody(hold), startBody(hold)];
  first.take(80 * KIB);
  second.take(20 * KIB);
  assert.throws(() => second.take(1), REFUSED);
  second.release();
  startBody(hold).take(20 * KIB);
  first.close();
  startBody(hold).take(80 * KIB);
});

test('A01: small bodies pass while the memory is full of large ones, up to a bound of their own', () => {
  const hold = boundBodyMemory(new ByteBudget(100 * KIB));
  startBody(hold).take(100 * KIB);
  const small = Array.from({ length: SMALL_BODIES_BYTES / (16 * KIB) }, () => startBody(hold));
  for (const body of small) body.take(16 * KIB);
  assert.throws(() => small[0]?.take(1), REFUSED, 'it is not small any more');
  assert.throws(() => startBody(hold).take(1), REFUSED);
  small[0]?.close();
  startBody(hold).take(16 * KIB);
});
