/** The application of ADMIN_PORT: metrics, health and the log level. Do not expose it through an Ingress. */
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Router } from 'express';
import type { Logger } from 'pino';
import { http } from '../domain/node-http.ts';
import { expositionOf } from '../observe/exposition.ts';
import type { Metrics } from '../observe/metrics.ts';
import { bareExpress } from './service.ts';

export type AdminOptions = {
  readonly metrics: Metrics;
  readonly health: Router;
  /** openapi.json. */
  readonly document: object;
  readonly log: Logger;
};

/** Creates the express application: `/metrics`, `/health/*`, GET and PUT `/log-level`, `/openapi.json`. */
export function createAdmin({ metrics, health, document, log }: AdminOptions): Express {
  const admin = bareExpress();
  admin.use(health);
  admin.get('/metrics', async (request, response) => {
    const { contentType, text } = await expositionOf(metrics.registry, request.get('accept'));
    response.setHeader('Vary', 'Accept').type(contentType).send(text);
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
  admin.get('/openapi.json', (_request, response) => {
    response.json(document);
  });
  for (const [methods, paths] of Object.entries(ALLOWED)) admin.all(paths, allowOnly(methods));
  admin.use(noSuchRoute, withoutStack(log));
  return admin;
}

/** The paths that allow these methods. */
const ALLOWED = {
  'GET, HEAD': ['/metrics', '/health/live', '/health/ready', '/openapi.json'],
  'GET, HEAD, PUT': ['/log-level'],
};

function allowOnly(methods: string): RequestHandler {
  return (_request, response, next) => {
    response.setHeader('Allow', methods);
    next({ status: 405 });
  };
}

const noSuchRoute: RequestHandler = (_request, _response, next) => next({ status: 404 });

/** Renders errors without their stack. Express's default handler sends the stack, with paths of this machine. */
function withoutStack(log: Logger): ErrorRequestHandler {
  return (error: { readonly status?: number }, _request, response, _next) => {
    const { status = 500 } = error;
    if (status >= 500) log.error({ cause: error }, 'a request to the admin port failed');
    response.status(status).json({ status, detail: http.STATUS_CODES[status] });
  };
}
