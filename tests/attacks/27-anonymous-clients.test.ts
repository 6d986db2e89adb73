/** Without API keys, one client with many slow requests does not delay the others by all of them. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { startGatewayFor } from '../gateway.ts';
import { EQUAL_SCORES, isWarmUp, startClothingModel } from '../model-server.ts';
import { modelsFolder } from '../models.ts';
import { until } from '../until.ts';

const PICTURE = await readFile(new URL('../golden/images/jpg-17x16.jpg', import.meta.url));
const OF_ONE_CLIENT = 30;

test('F16: clients without keys take turns by their address', async (t) => {
  const held: (() => void)[] = [];
  const model = await startClothingModel(async (call) => {
    if (!isWarmUp(call)) await new Promise<void>((resolve) => held.push(resolve));
    return EQUAL_SCORES;
  });
  t.after(() => model.close());
  const gateway = await startGatewayFor(t, {
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t),
    TRUSTED_PROXIES: '1',
    MAX_IN_FLIGHT: '2',
    REQUEST_TIMEOUT: '60s',
  });
  await gateway.ready();
  const answered: string[] = [];
  const send = (client: string) =>
    fetch(`${gateway.url}/predict`, {
      method: 'POST',
      headers: { 'Content-Type': 'image/jpeg', 'X-Forwarded-For': client },
      body: PICTURE,
    }).then(({ status }) => {
      assert.equal(status, 200);
      answered.push(client);
    });
  const queued = async () => Number(/^tensorgate_requests_queued (\d+)$/m.exec(await gateway.metrics())?.[1]);

  const requests = Array.from({ length: OF_ONE_CLIENT }, () => send('1.1.1.1'));
  await until(async () => held.length > 0 && held.length + (await queued()) === OF_ONE_CLIENT);
  const running = held.length;
  requests.push(send('2.2.2.2'));
  await until(async () => (await queued()) === OF_ONE_CLIENT + 1 - running);
  while (answered.length <= OF_ONE_CLIENT) {
    const before = answered.length;
    held.shift()?.();
    await until(() => answered.length > before || held.length > 0);
  }
  await Promise.all(requests);
  const place = answered.indexOf('2.2.2.2');
  t.diagnostic(`came: answer ${place + 1} of ${answered.length}, ${running} ran before it`);
  assert.ok(place <= 2 * running + 2, `after ${place} others`);
});
