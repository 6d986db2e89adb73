import assert from 'node:assert/strict';
import { test } from 'node:test';
import express from 'express';
import supertest from 'supertest';
import { corsFor } from './cors.ts';

test('* allows pages of every origin, without cookies', async () => {
  const { status, headers } = await supertest(express().use(corsFor(['*'])))
    .options('/predict')
    .set({ Origin: 'null', 'Access-Control-Request-Method': 'POST' });
  assert.equal(status, 204);
  assert.equal(headers['access-control-allow-origin'], '*');
  assert.equal(headers['access-control-allow-methods'], 'POST');
  assert.equal(headers['access-control-max-age'], '7200');
  assert.equal(headers['access-control-allow-credentials'], undefined);
  assert.equal(headers.vary, undefined);
});

test('OPTIONS that is not a preflight request goes on to the routes', async () => {
  const app = express().use(corsFor(['https://shop.example']));
  await supertest(app).options('/predict').set({ Origin: 'https://shop.example' }).expect(404);
});
