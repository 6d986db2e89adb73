/** The inside port: metrics, health again, and the log level. Never behind the Ingress. */
import { STATUS_CODES } from 'node:http';
import express, { type ErrorRequestHandler, type Express, type Router } from 'express';
import type { Logger } from 'pino';
import type { Metrics } from '../observe/metrics.ts';
import { bareExpress } from './service.ts';

export type AdminOptions = { readonly metrics: Metrics; readonly health: Router; readonly log: Logger };

/** Makes the express application of ADMIN_PORT: `/metrics`, `/health/*`, GET and PUT `/log-level`. */
export function createAdmin({ metrics, health, log }: AdminOptions): Express {
  const admin = bareExpress();
  admin.use(health);
  admin.get('/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  admin.get('/log-level', (_request, response) => {
    response.json({ level: log.level });
  });
  admin.put('/log-level', express.text({ type: () => true, limit: 64 }), (request, response) => {
    const level = String(request.body).trim();
    const levels = [...Object.keys(log.levels.values), 'silent'];
    if (levels.includes(level)) log.level = level;
    response.status(levels.includes(level) ? 200 : 400).json({ level: log.level, levels });
  });
  admin.use(inShort(log));
  return admin;
}

/** Express's own answer to a failure shows its stack, and with it where the gateway lies. */
function inShort(log: Logger): ErrorRequestHandler {
  return (error: { readonly status?: number }, _request, response, _next) => {
    const { status = 500 } = error;
    if (status >= 500) log.error({ cause: error }, 'the inside port failed');
    response.status(status).json({ status, detail: STATUS_CODES[status] });
  };
}
