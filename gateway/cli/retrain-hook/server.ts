/** The HTTP application of `tensorgate retrain-hook`: alerts, health, metrics. */
import { createHash, timingSafeEqual } from 'node:crypto';
import express, { type Express, type RequestHandler } from 'express';
import { addPlainErrors } from '../../http/plain-errors.ts';
import { bareExpress } from '../../http/service.ts';
import type { Hook } from './hook.ts';
import { readAlerts } from './message.ts';

/** A message of a thousand alerts has about half of it. */
const MAX_BODY = '1mb';

export type HookServerOptions = {
  readonly hook: Hook;
  /** The token that alerts need now; undefined for none. */
  readonly token: () => string | undefined;
};

/** Creates the application: POST /alerts, and GET /health and /metrics, which need no token. */
export function createHookServer({ hook, token }: HookServerOptions): Express {
  const app = bareExpress();
  const json = express.json({ type: () => true, limit: MAX_BODY });
  app.post('/alerts', onlyWith(token), json, (request, response, next) => {
    const alerts = readAlerts(request.body);
    if ('mistake' in alerts) return next({ status: 400, detail: alerts.mistake });
    // Alertmanager sends the message again after 5xx.
    if (hook.health().status === 'stopping') return next({ status: 503 });
    return response.status(202).json(hook.receive(alerts));
  });
  app.get('/health', (_request, response) => {
    const health = hook.health();
    response.status(health.status === 'stopping' ? 503 : 200).json(health);
  });
  app.get('/metrics', async (_request, response) => {
    const { registry } = hook.metrics;
    response.type(registry.contentType).send(await registry.metrics());
  });
  addPlainErrors(app, { POST: ['/alerts'], 'GET, HEAD': ['/health', '/metrics'] }, hook.log);
  return app;
}

/** Refuses a request without the token. */
function onlyWith(token: () => string | undefined): RequestHandler {
  return ({ headers }, response, next) => {
    const wanted = token();
    const [, given = ''] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
    if (wanted === undefined || timingSafeEqual(digest(given), digest(wanted))) return next();
    response.setHeader('WWW-Authenticate', 'Bearer');
    return next({ status: 401, detail: 'Authorization: needs Bearer and the token of --token-file' });
  };
}

const digest = (text: string) => createHash('sha256').update(text).digest();
