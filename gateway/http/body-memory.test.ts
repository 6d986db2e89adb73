import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import { boundBodyMemory, type CountBody } from './body-memory.ts';

const KIB = 1024;

function startBody(countBody: CountBody) {
  const request = new EventEmitter() as IncomingMessage;
  const response = new EventEmitter() as ServerResponse;
  const refusals: string[] = [];
  countBody(request, response, ({ kind, status }) => refusals.push(`${status} ${kind}`));
  return {
    receive: (bytes: number) => void request.emit('data', Buffer.alloc(bytes)),
    close: () => void response.emit('close'),
    refusals,
  };
}

test('a body that does not fit is refused and frees its bytes, and small bodies pass while the memory is full', () => {
  const countBody = boundBodyMemory(100 * KIB);
  const [first, second, small] = [startBody(countBody), startBody(countBody), startBody(countBody)];
  first.receive(80 * KIB);
  second.receive(20 * KIB);
  small.receive(16 * KIB);
  assert.deepEqual(small.refusals, []);
  second.receive(1);
  second.receive(1);
  assert.deepEqual(second.refusals, ['503 overloaded']);
  small.receive(4 * KIB);
  assert.deepEqual(small.refusals, [], 'the second body has made room');
  first.close();
  const third = startBody(countBody);
  third.receive(80 * KIB);
  assert.deepEqual(third.refusals, []);
});
