/** The application of ADMIN_PORT: metrics, health and the log level. Do not expose it through an Ingress. */
import express, { type Express, type Router } from 'express';
import type { Logger } from 'pino';
import { expositionOf } from '../observe/exposition.ts';
import type { Metrics } from '../observe/metrics.ts';
import { addPlainErrors } from './plain-errors.ts';
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
  addPlainErrors(admin, ALLOWED, log);
  return admin;
}

/** The paths that allow these methods. */
const ALLOWED = {
  'GET, HEAD': ['/metrics', '/health/live', '/health/ready', '/openapi.json'],
  'GET, HEAD, PUT': ['/log-level'],
};
