import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { LinkedController } from './linked-controller.ts';

test('aborts with the outer signal, by its reason', () => {
  const outer = new AbortController();
  const linked = new LinkedController(outer.signal);
  assert.equal(linked.signal.aborted, false);
  outer.abort('over');
  assert.equal(linked.signal.reason, 'over');
  assert.equal(new LinkedController(outer.signal).signal.reason, 'over', 'also when the outer one aborted before');
});

test('aborts by itself, and the outer signal does not', () => {
  const outer = new AbortController();
  const linked = new LinkedController(outer.signal);
  linked.abort('own');
  outer.abort('over');
  assert.equal(linked.signal.reason, 'own');
});

test('leaves no listener behind, and follows no longer', () => {
  const outer = new AbortController();
  const linked = new LinkedController(outer.signal);
  linked[Symbol.dispose]();
  assert.deepEqual(getEventListeners(outer.signal, 'abort'), []);
  outer.abort();
  assert.equal(linked.signal.aborted, false);
});
