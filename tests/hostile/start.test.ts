/** The gateway is ready only when the first request has nothing left to wait for. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { predictImage, startGatewayFor } from '../gateway.ts';
import { EQUAL_SCORES, isWarmUp, startClothingModel, startModelServer, XCEPTION } from '../model-server.ts';
import { modelsFolder } from '../models.ts';

const jpeg = await readFile(new URL('../golden/images/jpg-420.jpg', import.meta.url));

async function totalMs(url: string): Promise<number> {
  const response = await predictImage({ url }, jpeg);
  assert.equal(response.status, 200);
  return Number(/total;dur=([\d.]+)/.exec(response.headers.get('server-timing') ?? '')?.[1]);
}

test('F14: before the gateway is ready it sends one Predict of zeros and decodes a picture', async (t) => {
  const model = await startClothingModel();
  t.after(() => model.close());
  const gateway = await startGatewayFor(t, {
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t),
    DECODERS: '2',
    // A decoder that is still starting would exceed this timeout for the first picture.
    DECODE_TIMEOUT: '2s',
  });
  const listeningMs = performance.now();
  await gateway.ready();
  const readyMs = performance.now() - listeningMs;
  const [warmUp] = model.calls;
  assert.equal(model.calls.length, 1);
  assert.ok(warmUp && isWarmUp(warmUp));

  const first = await totalMs(gateway.url);
  const next: number[] = [];
  for (let count = 0; count < 20; count += 1) next.push(await totalMs(gateway.url));
  const median = next.sort((one, other) => one - other)[10] ?? 0;
  t.diagnostic(
    `came: ready ${Math.round(readyMs)} ms after it listened; the first in ${first} ms, the median of the next ${median} ms`,
  );
  assert.equal(model.calls.length, 22);
});

test('F14: a failed warm-up is logged, and requests are answered', async (t) => {
  const model = await startModelServer({
    ...XCEPTION,
    async onPredict(call) {
      // A model that builds its graph slowly: the warm-up times out first.
      if (isWarmUp(call)) await sleep(60_000, undefined, { ref: false });
      return EQUAL_SCORES;
    },
  });
  t.after(() => model.close());
  const gateway = await startGatewayFor(t, { TF_SERVING_HOST: model.target, MODELS: await modelsFolder(t) });
  await gateway.ready();
  assert.deepEqual(
    gateway.log.filter(({ msg }) => msg === 'the warm-up failed').map(({ model, version }) => [model, version]),
    [['clothing-model', 1]],
  );
  await totalMs(gateway.url);
});
