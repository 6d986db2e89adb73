import assert from 'node:assert/strict';
import { test } from 'node:test';
import { affordable, memoryNeed } from './memory-rule.ts';

const DEFAULTS = {
  maxInFlight: 64,
  maxQueue: 64,
  maxInstances: 64,
  maxBodyBytes: 32e6,
  maxImageBytes: 10e6,
  maxOutputBytes: 1e6,
  maxImagePixels: 50e6,
  decoders: 2,
  maxConnections: 10_000,
};
const ROW = 2 * 299 * 299 * 3 * 4;

test('the rule adds up every buffer at its bound', () => {
  const need = memoryNeed(DEFAULTS);
  assert.equal(need.bodyBytes, 128e6);
  assert.equal(need.jsonBytes, 160e6);
  assert.equal(need.fetchedBytes, 640e6);
  assert.equal(need.tensorBytes, 64 * ROW, 'a row for each image in flight');
  assert.equal(need.answerBytes, 64e6, 'an answer for each image in flight');
  assert.equal(
    need.downloadBytes,
    3 * 128 * 8 * 8000 + 256 * 52_000,
    'the most downloads, of which 256 have a connection',
  );
  assert.equal(need.connectionBytes, 10_000 * 35_000);
  const images = need.fetchedBytes + need.downloadBytes + need.tensorBytes + need.answerBytes;
  const buffers = need.bodyBytes + need.jsonBytes + images + need.connectionBytes;
  assert.equal(need.gatewayBytes, 180 * 2 ** 20 + buffers);
  assert.equal(need.decoderBytes, 2 * 160e6 + 50e6 * 13, 'one decoder has the largest picture');
  assert.equal(need.totalBytes, need.gatewayBytes + need.decoderBytes);
});

test('rows: one for each image in flight, or one batch that is larger', () => {
  assert.equal(memoryNeed({ ...DEFAULTS, maxInstances: 1 }).tensorBytes, 64 * ROW);
  assert.equal(memoryNeed({ ...DEFAULTS, maxInFlight: 2 }).tensorBytes, 64 * ROW, 'a larger batch runs alone');
});

test("the settings of kubernetes/base fit into its container's limit", () => {
  assert.ok(memoryNeed({ ...DEFAULTS, maxInFlight: 16, maxConnections: 1000 }).totalBytes < 1792 * 2 ** 20);
});

test('settings that fit into a memory limit', () => {
  const limitBytes = 1.5 * 2 ** 30;
  const { maxInFlight, ...others } = affordable(DEFAULTS, limitBytes);
  const { maxImagePixels, maxConnections } = others;
  const need = (inFlight: number) => memoryNeed({ ...DEFAULTS, ...others, maxInFlight: inFlight }).totalBytes;
  assert.equal(maxConnections, 1438);
  assert.ok(maxInFlight >= 4 && maxInFlight < 64 && maxImagePixels === 30e6, `${maxInFlight}, ${maxImagePixels}`);
  assert.ok(need(maxInFlight) <= limitBytes && need(maxInFlight + 1) > limitBytes);
  assert.deepEqual(affordable(DEFAULTS, 2 ** 34), { maxConnections: 10_000, maxInFlight: 64, maxImagePixels: 50e6 });
  assert.equal(affordable(DEFAULTS, 2 ** 28).maxInFlight, 0);
});
