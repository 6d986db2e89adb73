/** The public service: its routes, and clear words for every other path and method. */
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Router } from 'express';
import { GatewayError } from '../errors.ts';
import { corsFor } from './cors.ts';
import type { Door, Handler } from './door.ts';
import { securityHeaders } from './security-headers.ts';

export type ServiceOptions = {
  readonly door: Door;
  readonly predict: Handler;
  readonly health: Router;
  /** What to believe of X-Forwarded-For: so many hops, or the addresses of the proxies. */
  readonly trustedProxies: number | readonly string[];
  readonly corsOrigins: readonly string[];
  readonly hasTls: boolean;
};

/** Makes the express application of PORT. Throws a TypeError for a trusted proxy that is no address. */
export function createService({ door, predict, health, ...options }: ServiceOptions): Express {
  const service = bareExpress();
  service.set('trust proxy', options.trustedProxies);
  service.use(securityHeaders(options.hasTls));
  service.use(oneHost(door));
  if (options.corsOrigins.length > 0) service.use(corsFor(options.corsOrigins));
  service
    .route('/predict')
    .post(door('/predict', predict))
    .all(door('/predict', only('POST')));
  service.use(health);
  service.all(HEALTH_ROUTES, door('/health', only('GET, HEAD')));
  service.use(door('none', noSuchRoute), lastWord(door));
  return service;
}

/** Express without what a service of small JSON answers has no use for. */
export function bareExpress(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  return app;
}

/** RFC 9112, 3.2: a request with two hosts is refused, as a proxy before us may have taken it for the other one's. */
function oneHost(door: Door): RequestHandler {
  const refuse = door('none', async () => {
    throw new GatewayError('invalid_request', 'Host: send it once (RFC 9112).');
  });
  return (request, response, next) => {
    const hosts = request.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
    if (hosts.length < 2) return next();
    response.setHeader('Connection', 'close');
    refuse(request, response, next);
  };
}

const HEALTH_ROUTES = ['/health/live', '/health/ready'];

/** Refuses the methods that a route does not know. */
const only =
  (methods: string): Handler =>
  async (request, response) => {
    response.setHeader('Allow', methods);
    throw new GatewayError('method_not_allowed', `${request.method} is not allowed here; use ${methods}.`);
  };

const noSuchRoute: Handler = async () => {
  throw new GatewayError('not_found', 'There is no such route; predictions are at POST /predict.');
};

/** A failure outside of any door still gets the form of all others. */
function lastWord(door: Door): ErrorRequestHandler {
  return (error, request, response, next) => door('none', () => Promise.reject(error))(request, response, next);
}
