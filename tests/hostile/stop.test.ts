/** How the process ends: on SIGTERM, on SIGKILL, and after an uncaught error. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { predict, type RunningGateway, type Service, startGateway } from '../gateway.ts';
import { EQUAL_SCORES, type ModelServer, startModelServer, XCEPTION } from '../model-server.ts';
import { modelsFolder } from '../models.ts';
import { until } from '../until.ts';

const jpeg = await readFile(new URL('../golden/images/jpg-420.jpg', import.meta.url));
/** Loaded into the gateway: SIGUSR2 causes an unhandled rejection or an uncaught exception. */
const BUGS = {
  rejection: 'process.on("SIGUSR2", () => void Promise.reject(new Error("injected")))',
  exception: 'process.on("SIGUSR2", () => { throw new Error("injected") })',
};

let model: ModelServer;
before(async () => {
  model = await startModelServer({
    ...XCEPTION,
    async onPredict() {
      await sleep(150);
      return EQUAL_SCORES;
    },
  });
});
after(() => model.close());

async function startReady(t: TestContext, settings: Record<string, string> = {}): Promise<RunningGateway> {
  const models = await modelsFolder(t);
  const gateway = await startGateway({ TF_SERVING_HOST: model.target, MODELS: models, ...settings });
  await gateway.ready();
  return gateway;
}

/** Sends a picture. Resolves with the status, or with the code of the error. */
function post({ url }: Service, agent: Agent): Promise<number | string> {
  const { promise, resolve } = Promise.withResolvers<number | string>();
  const headers = { 'Content-Type': 'image/jpeg', 'Content-Length': jpeg.length };
  request(`${url}/predict`, { method: 'POST', agent, headers }, (response: IncomingMessage) => {
    response
      .on('error', ({ message }) => resolve(message))
      .on('end', () => resolve(response.statusCode ?? 0))
      .resume();
  })
    .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    .end(jpeg);
  return promise;
}

test('F4: on SIGTERM 8 clients with persistent connections get only 200, 503 or a refused connection', async (t) => {
  const gateway = await startReady(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  t.after(() => agent.destroy());
  const seen = new Map<number | string, number>();
  const calling = Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let outcome: number | string = 0; outcome !== 'ECONNREFUSED'; ) {
        outcome = await post(gateway, agent);
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      }
    }),
  );
  await until(() => (seen.get(200) ?? 0) >= 40);
  assert.equal(await gateway.stop('SIGTERM'), 0);
  await calling;
  t.diagnostic(`came: ${[...seen].map(([outcome, count]) => `${count} x ${outcome}`).join(', ')}; exit 0`);
  seen.delete('ECONNREFUSED');
  seen.delete(503);
  assert.deepEqual([...seen.keys()], [200]);
});

test('A27: on SIGHUP the request in flight is answered; SIGUSR1 and SIGUSR2 are ignored', async (t) => {
  const gateway = await startReady(t);
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
    gateway.process.kill(signal);
    await until(() =>
      gateway.log.some(({ msg, signal: logged }) => msg === 'the signal is ignored' && logged === signal),
    );
  }
  const inFlight = predict(gateway, { b64: jpeg.toString('base64') });
  await until(async () => /^tensorgate_requests_in_flight 1$/m.test(await gateway.metrics()));
  assert.equal(await gateway.stop('SIGHUP'), 0);
  assert.equal((await inFlight).status, 200);
});

test('F5: after SIGKILL a new gateway starts on the same port', async (t) => {
  const first = await startReady(t);
  const { port } = new URL(first.url);
  assert.equal(await first.stop('SIGKILL'), null);
  const second = await startReady(t, { PORT: port });
  assert.equal((await predict(second, { b64: jpeg.toString('base64') })).status, 200);
  t.diagnostic('came: listening on the same port, 200');
  assert.equal(await second.stop(), 0);
});

for (const [what, script] of Object.entries(BUGS)) {
  test(`F13: after an unhandled ${what}: a fatal log line, requests in flight are answered, exit code 1`, async (t) => {
    const gateway = await startReady(t, {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}`,
    });
    const inFlight = predict(gateway, { b64: jpeg.toString('base64') });
    await sleep(100);
    const code = await gateway.stop('SIGUSR2');
    assert.equal((await inFlight).status, 200);
    assert.equal(code, 1);
    const [line] = gateway.log.filter(({ level }) => level === 'fatal');
    assert.match(JSON.stringify(line?.err), /injected/);
    t.diagnostic('came: 200 for the request in flight, one fatal line, exit 1');
  });
}
