import assert from 'node:assert/strict';
import { test } from 'node:test';
import supertest from 'supertest';
import { createLifecycle } from '../door/lifecycle.ts';
import { createReadiness } from '../model/readiness.ts';
import type { ModelState } from '../model/state.ts';
import { createLog } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { createAdmin } from './admin.ts';
import { createHealth } from './health.ts';

function admin(states: Record<string, ModelState> = {}) {
  const log = createLog('info', { write: () => undefined });
  const lifecycle = createLifecycle();
  const all = new Map(Object.entries(states));
  const readiness = createReadiness('any')(all);
  const health = createHealth({
    lifecycle,
    states: { all, readiness },
    decodingProblem: () => undefined,
    withDetails: true,
  });
  const metrics = createMetrics({ inFlight: 2, queued: 1, limit: 16 }, { share: 0.5 });
  return {
    app: createAdmin({ metrics, health, document: { openapi: '3.1.1' }, log }),
    log,
    lifecycle,
  };
}

test('the log level can be read and changed, and an unknown level is refused with the list of levels', async () => {
  const { app, log } = admin();
  await supertest(app).get('/log-level').expect(200, { level: 'info' });
  await supertest(app).put('/log-level').type('text').send('debug').expect(200);
  assert.equal(log.level, 'debug');
  const refused = await supertest(app).put('/log-level').type('text').send('loud').expect(400);
  assert.equal(log.level, 'debug');
  assert.deepEqual(refused.body.levels, ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']);
});

test('metrics are in the text format of Prometheus and show the current load', async () => {
  const { text } = await supertest(admin().app)
    .get('/metrics')
    .expect(200)
    .expect('Content-Type', /^text\/plain/);
  assert.match(text, /^tensorgate_requests_in_flight 2$/m);
  assert.match(text, /^tensorgate_requests_queued 1$/m);
});

test('metrics are in OpenMetrics for Prometheus, which asks for it', async () => {
  const accept =
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,*/*;q=0.1';
  const { text } = await supertest(admin().app)
    .get('/metrics')
    .set('Accept', accept)
    .expect(200)
    .expect('Content-Type', 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  assert.ok(text.endsWith('\n# EOF\n'));
});

test('ready is 200 while the gateway is ready and not draining, and shows the state of each model', async () => {
  const good: ModelState = { version: 1, parity: { state: 'proven', detail: '' } };
  const { app, lifecycle } = admin({ good });
  await supertest(app).get('/health/ready').expect(200);
  const bad = { problem: 'no server', detail: '10.0.0.1:8500: ECONNREFUSED' };
  const one = await supertest(admin({ good, bad }).app).get('/health/ready').expect(200);
  assert.deepEqual([one.body.models.good.ready, one.body.models.bad.ready], [true, false]);
  const none = await supertest(admin({ bad }).app).get('/health/ready').expect(503);
  assert.equal(none.body.problem, 'bad: no server');
  assert.equal(none.body.models.bad.detail, '10.0.0.1:8500: ECONNREFUSED');
  await lifecycle.drain(100);
  await supertest(app).get('/health/ready').expect(503);
  await supertest(app).get('/health/live').expect(200);
});

test('other methods are 405 with Allow, and other paths 404, as JSON', async () => {
  const { app } = admin();
  for (const path of ['/metrics', '/health/live', '/health/ready', '/openapi.json']) {
    await supertest(app)
      .post(path)
      .expect(405, { status: 405, detail: 'Method Not Allowed' })
      .expect('Allow', 'GET, HEAD');
  }
  await supertest(app).delete('/log-level').expect(405).expect('Allow', 'GET, HEAD, PUT');
  await supertest(app).get('/predict').expect(404, { status: 404, detail: 'Not Found' });
  await supertest(app).get('/openapi.json').expect(200, { openapi: '3.1.1' });
});
