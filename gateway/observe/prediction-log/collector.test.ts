import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { openCollector } from './collector.ts';
import { feedbackLine } from './lines.ts';
import { SCHEMA_VERSION } from './schema.ts';

const PREDICTION = JSON.stringify({
  kind: 'prediction',
  schema: SCHEMA_VERSION,
  time: '2026-11-30T15:00:00.000Z',
  id: 'r1[3]',
  request_id: 'r1',
  row: 3,
  model: 'pets',
  signature: 'serving_default',
});
const LABEL = feedbackLine({ id: 'r1[3]', label: 'cat' }, { id: 'r2', traceId: '0af7651916cd43dd8448eb211c80319c' });

type Posted = Pick<IncomingMessage, 'headers' | 'url'> & { readonly body: string };

/** A collector that answers with these statuses, the last of them from then on. 429 asks to wait a second. */
async function startCollector(t: TestContext, ...statuses: number[]) {
  const posted: Posted[] = [];
  const server = createServer(async (request, response) => {
    posted.push({ headers: request.headers, url: request.url ?? '', body: await text(request) });
    const status = statuses[Math.min(posted.length, statuses.length) - 1] ?? 202;
    response.writeHead(status, status === 429 ? { 'Retry-After': '1' } : {}).end('thanks');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  return { posted, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const { signal } = new AbortController();

test('lines are posted as a batch of CloudEvents with the types of KServe, and the credentials of the URL', async (t) => {
  const { posted, host } = await startCollector(t, 202);
  await openCollector({ url: `http://me:p%40ss@${host}/broker?a=1` }).write([PREDICTION, LABEL], signal);
  const [request] = posted;
  assert.equal(request?.url, '/broker?a=1');
  assert.match(request?.headers['content-type'] ?? '', /^application\/cloudevents-batch\+json/);
  assert.equal(request?.headers.authorization, `Basic ${Buffer.from('me:p@ss').toString('base64')}`);
  const [prediction, label] = JSON.parse(request?.body ?? '[]');
  assert.deepEqual(prediction, {
    specversion: '1.0',
    id: 'r1/3',
    type: 'org.kubeflow.serving.inference.response',
    source: '/v1/models/pets',
    time: '2026-11-30T15:00:00.000Z',
    datacontenttype: 'application/json',
    dataschema: 'urn:tensorgate:prediction:1',
    inferenceservicename: 'pets',
    component: 'predictor',
    endpoint: 'serving_default',
    data: JSON.parse(PREDICTION),
  });
  assert.deepEqual([label.type, label.id, label.data.label], ['org.kubeflow.serving.feedback', 'r2/r1[3]', 'cat']);
});

test('a failure is tried again, five times at most', async (t) => {
  const recovering = await startCollector(t, 503, 408, 202);
  await openCollector({ url: `http://${recovering.host}`, firstDelayMs: 1 }).write([LABEL], signal);
  assert.equal(recovering.posted.length, 3);
  const failing = await startCollector(t, 500);
  const collector = openCollector({ url: `http://${failing.host}`, firstDelayMs: 1 });
  await assert.rejects(collector.write([LABEL], signal), { message: /status 500/ });
  assert.equal(failing.posted.length, 5);
});

test('a collector that asks for time gets it', async (t) => {
  const { host } = await startCollector(t, 429, 202);
  const startMs = performance.now();
  await openCollector({ url: `http://${host}`, firstDelayMs: 1 }).write([LABEL], signal);
  assert.ok(performance.now() - startMs > 990);
});

test('a refusal and a redirect are final', async (t) => {
  for (const status of [400, 401, 413, 302]) {
    const { posted, host } = await startCollector(t, status);
    await assert.rejects(openCollector({ url: `http://${host}`, firstDelayMs: 1 }).write([LABEL], signal));
    assert.equal(posted.length, 1, String(status));
  }
});

test('a stop ends the tries at a collector that is not there', async () => {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const collector = openCollector({ url: `http://127.0.0.1:${port}`, firstDelayMs: 3_600_000 });
  const stopping = new AbortController();
  const written = collector.write([LABEL], stopping.signal);
  setTimeout(() => stopping.abort(), 20);
  await assert.rejects(written, { name: 'AbortError' });
});
