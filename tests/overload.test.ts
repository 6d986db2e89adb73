import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { capacity, offer, quantile } from '../bench/open-loop.ts';
import { type RunningGateway, startGatewayFor } from './gateway.ts';
import { floatTensor, startModelServer, XCEPTION } from './model-server.ts';
import { modelsFolder } from './models.ts';

const SCORES = Array.from({ length: 10 }, (_, index) => index);
const picture = await readFile(new URL('golden/images/jpg-17x16.jpg', import.meta.url));
const BODY = JSON.stringify({ b64: picture.toString('base64') });
const FAULTS = new URL('faults.ts', import.meta.url).href;

/** Starts a gateway and a model server that runs `atOnce` Predicts in parallel, each for `serviceMs`. */
async function start(t: TestContext, { atOnce = 100, serviceMs = 0 }, settings: Record<string, string> = {}) {
  let turn = Promise.resolve();
  const turns = Array.from({ length: atOnce }, () => turn);
  const server = await startModelServer({
    ...XCEPTION,
    async onPredict() {
      turn = (turns.shift() ?? Promise.resolve()).then(() => sleep(serviceMs));
      turns.push(turn);
      await turn;
      return { dense_7: floatTensor([1, 10], SCORES) };
    },
  });
  t.after(server.close);
  const gateway = await startGatewayFor(t, {
    TF_SERVING_HOST: server.target,
    MODELS: await modelsFolder(t),
    ...settings,
  });
  await gateway.ready();
  return gateway;
}

async function metric({ adminUrl }: RunningGateway, name: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

function send({ url }: RunningGateway): Promise<Response> {
  return fetch(`${url}/predict`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: BODY,
  });
}

test('F1: at five times the capacity the throughput holds, and the rest is refused at once', async (t) => {
  const gateway = await start(t, { atOnce: 2, serviceMs: 100 });
  const load = { url: gateway.url, body: BODY, seconds: 2 };
  const peak = await capacity(gateway.url, BODY, 2);
  // The load is five times the model server's own limit, 2 per 100 ms. On a busy machine the measured capacity may be
  // too low to cause refusals.
  const { sent, acceptedMs, refusedMs, retryAfterS, failures } = await offer({ ...load, perSecond: 5 * 20 });
  const text = `came: ${acceptedMs.length} of ${sent} answered at ${peak} a second of capacity, p99 ${quantile(acceptedMs, 0.99).toFixed(0)} ms`;
  t.diagnostic(
    `${text}; refused in ${quantile(refusedMs, 0.5).toFixed(0)} ms, p99 ${quantile(refusedMs, 0.99).toFixed(0)} ms`,
  );
  assert.deepEqual(failures, []);
  assert.equal(acceptedMs.length + refusedMs.length, sent);
  assert.ok(acceptedMs.length >= peak * 2 * 0.8);
  assert.ok(quantile(refusedMs, 0.5) < 50);
  assert.ok(retryAfterS.every((seconds) => seconds >= 1 && seconds <= 30));
  assert.ok(quantile(acceptedMs, 0.99) < 5000, 'no request waits in a standing queue');
});

test('F2: of a burst of 1,000 requests in 100 ms each is answered with 200 or 429', async (t) => {
  const gateway = await start(t, {});
  const { acceptedMs, refusedMs, failures } = await offer({
    url: gateway.url,
    body: BODY,
    perSecond: 10_000,
    seconds: 0.1,
  });
  t.diagnostic(
    `came: ${acceptedMs.length} times 200, ${refusedMs.length} times 429; slowest ${acceptedMs.at(-1)?.toFixed(0)} ms`,
  );
  assert.deepEqual(failures, []);
  assert.equal(acceptedMs.length + refusedMs.length, 1000);
  assert.ok(acceptedMs.length >= 64);
  assert.equal(await metric(gateway, 'tensorgate_requests_queued'), 0);
  assert.equal((await send(gateway)).status, 200);
});

test('F7: after an event loop block of 2 s liveness answers within a probe; the lag metric shows it', async (t) => {
  const gateway = await start(t, {}, { NODE_OPTIONS: `--import ${FAULTS}`, BLOCK_MS: '2000' });
  gateway.process.kill('SIGUSR2');
  await sleep(200);
  const startedMs = performance.now();
  // kubernetes/base/gateway.yaml: a probe times out after 5 s, and six failed probes restart the pod.
  const { status } = await fetch(`${gateway.url}/health/live`, { signal: AbortSignal.timeout(5000) });
  // A timer records the lag; it may fire after this answer.
  let lagS = 0;
  for (let left = 20; left > 0 && lagS < 1.5; left -= 1) {
    lagS = await metric(gateway, 'nodejs_eventloop_lag_max_seconds');
    await sleep(50);
  }
  t.diagnostic(`came: live ${status} after ${(performance.now() - startedMs).toFixed(0)} ms, lag ${lagS.toFixed(2)} s`);
  assert.equal(status, 200);
  assert.ok(lagS > 1.5);
});

test('F9: short of memory the gateway closes connections and refuses with 503, then recovers', async (t) => {
  const faults = { NODE_OPTIONS: `--import ${FAULTS}`, TAKE_SHARE: '0.97', LIMIT_ABOVE_MIB: '400' };
  const gateway = await start(t, {}, faults);
  assert.ok(gateway.log.some(({ level, msg }) => level === 'warn' && /container's limit/.test(String(msg))));
  assert.equal((await send(gateway)).status, 200);

  gateway.process.kill('SIGUSR2');
  const refused = await sendUntil(gateway, 503);
  const problem = (await refused.json()) as { kind: string };
  t.diagnostic(`came: 503 ${problem.kind} at ${await metric(gateway, 'tensorgate_memory_used_ratio')}`);
  assert.equal(problem.kind, 'overloaded');
  assert.equal(refused.headers.get('connection'), 'close');
  assert.equal(refused.headers.get('retry-after'), '1');
  assert.equal((await fetch(`${gateway.url}/health/live`)).status, 200);

  gateway.process.kill('SIGUSR2');
  assert.equal((await sendUntil(gateway, 200)).headers.get('connection'), 'keep-alive');
});

async function sendUntil(gateway: RunningGateway, status: number): Promise<Response> {
  let response = await send(gateway);
  for (let left = 100; left > 0 && response.status !== status; left -= 1) {
    await sleep(50);
    response = await send(gateway);
  }
  assert.equal(response.status, status);
  return response;
}
