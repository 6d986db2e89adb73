import assert from 'node:assert/strict';
import { test } from 'node:test';
import supertest from 'supertest';
import type { ModelState } from '../model/watch.ts';
import { createLog } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { createAdmin } from './admin.ts';
import { createHealth } from './health.ts';
import { createLifecycle } from './lifecycle.ts';

function admin(states: Record<string, ModelState> = {}) {
  const log = createLog('info', { write: () => undefined });
  const lifecycle = createLifecycle();
  const health = createHealth({ lifecycle, states: () => new Map(Object.entries(states)) });
  return {
    app: createAdmin({ metrics: createMetrics({ inFlight: 2, queued: 1, limit: 16 }, { share: 0.5 }), health, log }),
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

test('ready is 200 only while every model is ready and the gateway is not draining', async () => {
  const good: ModelState = { version: 1, parity: { state: 'proven', detail: '' } };
  const { app, lifecycle } = admin({ good });
  await supertest(app).get('/health/ready').expect(200);
  const { body } = await supertest(admin({ good, bad: { problem: 'no server' } }).app)
    .get('/health/ready')
    .expect(503);
  assert.equal(body.problem, 'bad: no server');
  assert.deepEqual([body.models.good.ready, body.models.bad.ready], [true, false]);
  await lifecycle.drain(100);
  await supertest(app).get('/health/ready').expect(503);
  await supertest(app).get('/health/live').expect(200);
});
