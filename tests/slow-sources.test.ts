/** Requests that wait for a slow image source, beside requests that do not. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGatewayFor } from './gateway.ts';
import { startClothingModel } from './model-server.ts';
import { modelsFolder } from './models.ts';
import { slowDrip, startOrigin } from './origin.ts';

const picture = await readFile(new URL('golden/images/jpg-17x16.jpg', import.meta.url));

/** A gateway with the container's MAX_IN_FLIGHT, a quick source, and one that never ends an answer. */
async function start(t: TestContext) {
  const model = await startClothingModel();
  const quick = await startOrigin({ '/photo.jpg': picture });
  const slow = await startOrigin({ '/silent.jpg': () => {}, '/drip.jpg': slowDrip });
  t.after(() => Promise.all([model.close(), quick.close(), slow.close()]));
  const gateway = await startGatewayFor(t, {
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t),
    FETCH_ALLOW: '127.0.0.1',
    FETCH_PORTS: `${quick.port},${slow.port}`,
    MAX_IN_FLIGHT: '16',
  });
  await gateway.ready();
  const post = (body: object, signal?: AbortSignal) =>
    fetch(`${gateway.url}/predict`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    });
  return { quick, slow, post };
}

for (const page of ['silent.jpg', 'drip.jpg']) {
  test(`B17: batches of a slow source (${page}) do not delay requests that need other sources or none`, async (t) => {
    const { quick, slow, post } = await start(t);
    const end = new AbortController();
    const image = { url: `${slow.url}/${page}` };
    const batch = { instances: Array.from({ length: 64 }, () => image) };
    let answered = 0;
    const waiting = [batch, batch, ...Array.from({ length: 60 }, () => image)].map((body) =>
      post(body, end.signal).then(
        () => (answered += 1),
        () => undefined,
      ),
    );
    while (slow.hits.length < 16) await sleep(20);
    const good = [{ url: `${quick.url}/photo.jpg` }, { b64: picture.toString('base64') }];
    const sent = Array.from({ length: 20 }, async (_, index) => (await post(good[index % 2] ?? {})).status);
    const statuses = await Promise.all(sent);
    const count = statuses.filter((status) => status === 200).length;
    t.diagnostic(`came: ${count} of 20 good requests answered 200 beside ${slow.hits.length} slow fetches`);
    assert.deepEqual(statuses, Array(20).fill(200));
    assert.equal(answered, 0, 'the slow requests wait still');
    end.abort();
    await Promise.all(waiting);
  });
}
