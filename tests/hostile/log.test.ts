/** The gateway serves when its log cannot be written. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { MAIN, predict, type Service, startGateway, waitUntilReady } from '../gateway.ts';
import { type ModelServer, startClothingModel } from '../model-server.ts';
import { modelsFolder } from '../models.ts';
import { freePort } from '../tf-serving/server.ts';

const jpeg = await readFile(new URL('../golden/images/jpg-420.jpg', import.meta.url));
/** A refusal logs more than 1 KB. 200 lines fill the pipe and the buffer of its reading stream. */
const LINES = 200;

let model: ModelServer;
before(async () => {
  model = await startClothingModel();
});
after(() => model.close());

/** Sends requests that are refused and logged. Resolves with the median time in ms. */
async function sendRefused(service: Service, count: number): Promise<number> {
  const times: number[] = [];
  const call = async () => {
    while (times.length < count) {
      const startedMs = performance.now();
      const response = await predict(service, { url: `http://10.0.0.1/${'a'.repeat(250)}` });
      assert.equal(response.status, 403);
      await response.arrayBuffer();
      times.push(performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: 8 }, call));
  return times.sort((one, other) => one - other)[times.length >> 1] ?? 0;
}

test('F12: when the reader of the log stops reading, requests are answered and SIGTERM ends the gateway', async (t) => {
  const gateway = await startGateway({ TF_SERVING_HOST: model.target, MODELS: await modelsFolder(t) });
  await gateway.ready();
  const readMs = await sendRefused(gateway, LINES / 4);
  gateway.process.stdout?.pause();
  const unreadMs = await sendRefused(gateway, LINES);
  t.diagnostic(`came: 403 in ${readMs.toFixed(1)} ms (median) with a reader, in ${unreadMs.toFixed(1)} ms without`);
  assert.equal((await predict(gateway, { b64: jpeg.toString('base64') })).status, 200);
  gateway.process.stdout?.resume();
  const { headers } = await predict(gateway, { url: 'ftp://a/' });
  assert.equal(
    (await gateway.linesOf(headers.get('x-request-id'))).length,
    1,
    'logging continues when the log is read again',
  );

  gateway.process.stdout?.pause();
  await sendRefused(gateway, LINES);
  assert.equal(await gateway.stop(), 0);
});

test('F12: when the log pipe is closed, requests are answered', async (t) => {
  const gateway = await startGateway({ TF_SERVING_HOST: model.target, MODELS: await modelsFolder(t) });
  await gateway.ready();
  gateway.process.stdout?.destroy();
  await sendRefused(gateway, 20);
  assert.equal((await predict(gateway, { b64: jpeg.toString('base64') })).status, 200);
  t.diagnostic('came: 403, 200');
  assert.equal(await gateway.stop(), 0);
});

test('F11: when the log is on a full disk, requests are answered and dropped lines are counted', async (t) => {
  const [port, adminPort] = [await freePort(), await freePort()];
  const settings = { HOST: '127.0.0.1', PORT: `${port}`, ADMIN_PORT: `${adminPort}`, TF_SERVING_HOST: model.target };
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, [MAIN, 'serve'], {
    env: { ...process.env, ...settings, MODELS: await modelsFolder(t) },
    stdio: ['ignore', full, 'inherit'],
  });
  closeSync(full);
  t.after(() => child.kill('SIGKILL'));
  const service = { url: `http://127.0.0.1:${port}` };
  await waitUntilReady(service.url);
  await sendRefused(service, LINES);
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  assert.match(metrics, /^tensorgate_log_lines_dropped_total \d+$/m);
  t.diagnostic('came: 403, 200, exit 0');
  assert.equal((await predict(service, { b64: jpeg.toString('base64') })).status, 200);
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
});
