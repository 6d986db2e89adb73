import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { override } from './override.ts';
import { BoundedRequest } from './pipelining.ts';

setFlagsFromString('--expose-gc');
const collectYoung: (options: { type: 'minor' }) => void = runInNewContext('gc');

function heapBytes(): number {
  for (let time = 0; time < 4; time += 1) collectYoung({ type: 'minor' });
  return process.memoryUsage().heapUsed;
}

test('the method of one object is replaced', () => {
  const shout = { say: (text: string) => text };
  override(shout, { say: (text) => text.toUpperCase() });
  assert.equal(shout.say('a'), 'A');
});

test('a request that is over needs no full collection', () => {
  const socket = new Socket();
  const make = (count: number) => {
    for (let i = 0; i < count; i += 1) new BoundedRequest(socket) satisfies IncomingMessage;
  };
  make(100);
  const before = heapBytes();
  make(1000);
  const kept = (heapBytes() - before) / 1000;
  assert.ok(kept < 500, `${kept} bytes of each request are kept`);
});
