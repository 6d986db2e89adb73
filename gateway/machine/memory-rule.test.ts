import assert from 'node:assert/strict';
import { test } from 'node:test';
import { affordable, memoryNeed } from './memory-rule.ts';

const DEFAULTS = {
  maxInFlight: 64,
  maxInstances: 64,
  imagesAtOnce: 8,
  maxBodyBytes: 32e6,
  maxImageBytes: 10e6,
  maxImagePixels: 50e6,
  decoders: 2,
};
const ROW = 2 * 299 * 299 * 3 * 4;

test('the rule counts what can be held at once', () => {
  const need = memoryNeed(DEFAULTS);
  assert.equal(need.bodyBytes, 128e6);
  assert.equal(need.encodedBytes, 640e6);
  assert.equal(need.tensorBytes, 8 * 64 * ROW, 'eight lanes a batch, so eight batches');
  assert.equal(need.gatewayBytes, 200 * 2 ** 20 + need.bodyBytes + need.encodedBytes + need.tensorBytes);
  assert.equal(need.decoderBytes, 2 * 120e6 + 50e6 * 13, 'one picture in one of them');
  assert.equal(need.totalBytes, need.gatewayBytes + need.decoderBytes);
});

test('single images, fewer lanes than a batch has, and few in flight', () => {
  assert.equal(memoryNeed({ ...DEFAULTS, maxInstances: 1 }).tensorBytes, 64 * ROW);
  assert.equal(memoryNeed({ ...DEFAULTS, maxInFlight: 2 }).tensorBytes, 64 * ROW, 'a whole batch goes alone');
});

test('what a limit affords', () => {
  const limitBytes = 2 ** 30;
  const { maxInFlight, maxImagePixels } = affordable(DEFAULTS, limitBytes);
  const need = (inFlight: number) => memoryNeed({ ...DEFAULTS, maxImagePixels, maxInFlight: inFlight }).totalBytes;
  assert.ok(maxInFlight >= 8 && maxInFlight < 64 && maxImagePixels === 14e6, `${maxInFlight}, ${maxImagePixels}`);
  assert.ok(need(maxInFlight) <= limitBytes && need(maxInFlight + 1) > limitBytes);
  assert.deepEqual(affordable(DEFAULTS, 2 ** 33), { maxInFlight: 64, maxImagePixels: 50e6 });
  assert.equal(affordable(DEFAULTS, 2 ** 28).maxInFlight, 0);
});
