import { test } from 'node:test';
import { until } from '../../tests/until.ts';
import { collectAtRest } from './rest.ts';

test('buffers that nothing uses any more are collected once no more come', async (t) => {
  t.after(collectAtRest(50));
  const state = { isCollected: false };
  const registry = new FinalizationRegistry(() => {
    state.isCollected = true;
  });
  registry.register(new ArrayBuffer(40 * 2 ** 20), undefined);
  await until(() => state.isCollected);
});
