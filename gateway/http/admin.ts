/** The application of ADMIN_PORT: metrics, health and the log level. Do not expose it through an Ingress. */
import { STATUS_CODES } from 'node:http';
import express, { type ErrorRequestHandler, type Express, type Router } from 'express';
import type { Logger } from 'pino';
import type { Metrics } from '../observe/metrics.ts';
import { bareExpress } from './service.ts';

export type AdminOptions = { readonly metrics: Metrics; readonly health: Router; readonly log: Logger };

/** Creates the express application: `/metrics`, `/health/*`, GET and PUT `/log-level`. */
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
  admin.use(withoutStack(log));
  return admin;
}

/** Renders errors without their stack. Express's default handler sends the stack, with paths of this machine. */
function withoutStack(log: Logger): ErrorRequestHandler {
  return (error: { readonly status?: number }, _request, response, _next) => {
    const { status = 500 } = error;
    if (status >= 500) log.error({ cause: error }, 'a request to the admin port failed');
    response.status(status).json({ status, detail: STATUS_CODES[status] });
  };
}
