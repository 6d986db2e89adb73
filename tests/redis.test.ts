/** Limits that two gateways share in a real Redis, and their behaviour when it dies or hangs. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { type RunningGateway, startGatewayFor } from './gateway.ts';
import { modelsFolder } from './models.ts';
import { freePort } from './tf-serving/server.ts';
import { until } from './until.ts';

const REDIS = process.env.TENSORGATE_REDIS_SERVER || 'redis-server';
const skip = spawnSync(REDIS, ['--version']).error
  ? 'needs redis-server on the PATH, or its path in TENSORGATE_REDIS_SERVER'
  : false;

function startRedis(t: TestContext, port: number): ChildProcess {
  const child = spawn(REDIS, ['--port', `${port}`, '--bind', '127.0.0.1', '--save', ''], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

/** Waits until the gateway has logged the text `times` times. */
async function waitForLog(gateway: RunningGateway, text: RegExp, times = 1): Promise<void> {
  const count = () => gateway.log.filter(({ msg }) => text.test(String(msg))).length;
  await until(() => count() >= times);
  assert.equal(count(), times, `${text}`);
}

const IS_SHARED = /counted in Redis/;
const IS_UNAVAILABLE = /Redis is unavailable/;

test('two gateways share counts in Redis; when it dies or hangs each counts alone at once and logs it', {
  skip,
}, async (t) => {
  const port = await freePort();
  const redis = startRedis(t, port);
  const settings = {
    TF_SERVING_HOST: 'localhost:1',
    MODELS: await modelsFolder(t),
    RATE_LIMIT: '4/h',
    TRUSTED_PROXIES: '1',
    REDIS_URL: `redis://127.0.0.1:${port}`,
  };
  const [one, two] = await Promise.all([startGatewayFor(t, settings), startGatewayFor(t, settings)]);
  await Promise.all([waitForLog(one, IS_SHARED), waitForLog(two, IS_SHARED)]);

  let slowestMs = 0;
  const ask = async ({ url }: RunningGateway, client: string) => {
    const startedMs = performance.now();
    const { status } = await fetch(`${url}/nowhere`, { headers: { 'X-Forwarded-For': client } });
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    return status;
  };
  const inTurn = async (client: string, ...gateways: RunningGateway[]) => {
    const came: number[] = [];
    for (const gateway of gateways) came.push(await ask(gateway, client));
    return came;
  };
  assert.deepEqual(await inTurn('1.1.1.1', one, two, one, two, one, two), [404, 404, 404, 404, 429, 429]);

  redis.kill('SIGSTOP');
  assert.deepEqual(await inTurn('2.2.2.2', one, one, one, one, one), [404, 404, 404, 404, 429]);
  await waitForLog(one, IS_UNAVAILABLE);
  redis.kill('SIGCONT');
  await waitForLog(one, IS_SHARED, 2);

  redis.kill('SIGKILL');
  await waitForLog(two, IS_UNAVAILABLE);
  assert.deepEqual(await inTurn('3.3.3.3', two, two, two, two, two), [404, 404, 404, 404, 429]);

  startRedis(t, port);
  await waitForLog(two, IS_SHARED, 2);
  assert.deepEqual(await inTurn('4.4.4.4', two, two, two, two, two), [404, 404, 404, 404, 429]);
  assert.ok(slowestMs < 1500, `${slowestMs} ms`);
  t.diagnostic(`came: the slowest answer took ${Math.round(slowestMs)} ms`);
});

test('a gateway serves if Redis cannot be reached at the start', async (t) => {
  const port = await freePort();
  const settings = { TF_SERVING_HOST: 'localhost:1', MODELS: await modelsFolder(t), RATE_LIMIT: '1/h' };
  const gateway = await startGatewayFor(t, { ...settings, REDIS_URL: `redis://user:secret@127.0.0.1:${port}` });
  assert.equal((await fetch(`${gateway.url}/nowhere`)).status, 404);
  assert.equal((await fetch(`${gateway.url}/nowhere`)).status, 429);
  await waitForLog(gateway, IS_UNAVAILABLE);
  assert.ok(!JSON.stringify(gateway.log).includes('secret'));
});
