import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReadiness } from './readiness.ts';
import type { ModelState } from './state.ts';

const GOOD: ModelState = { version: 1 };
const BAD: ModelState = { problem: 'no model.onnx' };
const PENDING: ModelState = { problem: 'not checked yet', isPending: true };

const states = (given: Record<string, ModelState>) => new Map(Object.entries(given));

test('B11: READY_WHEN=all needs every model, any needs one', () => {
  const mixed = states({ good: GOOD, bad: BAD });
  assert.deepEqual(createReadiness('all')(mixed), { ready: false, problem: 'bad: no model.onnx' });
  assert.deepEqual(createReadiness('any')(mixed), { ready: true });
  assert.deepEqual(createReadiness('any')(states({ bad: BAD })), { ready: false, problem: 'bad: no model.onnx' });
  assert.equal(createReadiness('all')(states({ good: GOOD })).ready, true);
  assert.equal(createReadiness('any')(states({})).ready, false);
});

test('READY_WHEN=any waits for pending models at the start and after an outage, not for models added later', () => {
  const any = createReadiness('any');
  const waiting = { ready: false, problem: 'slow: not checked yet' };
  assert.deepEqual(any(states({ quick: GOOD, slow: PENDING, bad: BAD })), waiting);
  assert.equal(any(states({ quick: GOOD, slow: GOOD, bad: BAD })).ready, true);
  assert.equal(any(states({ quick: GOOD, slow: GOOD, added: PENDING })).ready, true);
  assert.equal(any(states({ quick: PENDING, slow: PENDING })).ready, false);
  assert.deepEqual(any(states({ quick: GOOD, slow: PENDING })), waiting);
});
