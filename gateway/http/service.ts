/** The express application of PORT: the protocols' routes, health, and an error for every other path. */
import type { IncomingMessage, RequestListener } from 'node:http';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from 'express';
import { GatewayError } from '../errors.ts';
import { corsFor } from './cors.ts';
import { type Door, type Handler, healthOnly } from './door.ts';
import { exactPath } from './exact-path.ts';
import { plainForwardedFor } from './forwarded.ts';
import { securityHeaders } from './security-headers.ts';

export type ServiceOptions = {
  readonly door: Door;
  /** The routes of each protocol. */
  readonly protocols: readonly Router[];
  readonly health: Router;
  /** Paths of platforms that answer as `/health/ready` does. */
  readonly healthAliases: readonly string[];
  /** Proxies whose X-Forwarded-For is trusted: how many hops, or their addresses. */
  readonly trustedProxies: number | readonly string[];
  readonly corsOrigins: readonly string[];
  readonly hasTls: boolean;
};

/** Creates the application. Throws a TypeError for a trusted proxy that is not an address. */
export function createService(options: ServiceOptions): Express {
  const { door, protocols, health } = options;
  const service = bareExpress();
  service.set('trust proxy', options.trustedProxies);
  service.use(plainForwardedFor);
  service.use(securityHeaders(options.hasTls));
  service.use(standardHeaders(door));
  if (options.corsOrigins.length > 0) service.use(corsFor(options.corsOrigins));
  // First: Vertex AI may choose a path of a protocol for health, such as /v1/models/….
  service.use(health);
  service.all([...HEALTH_ROUTES, ...options.healthAliases.map(exactPath)], healthOnly());
  for (const routes of protocols) service.use(routes);
  service.use(door('none', noSuchRoute), onUncaughtError(door));
  return service;
}

/**
 * The listener of the application for a server. Express gives a request whose target is no URL, such as `http://[/`, to no
 * route, and would answer it by itself.
 */
export function listenerOf(service: Express, door: Door): RequestListener {
  const refuse = door('none', async () => {
    throw new GatewayError('invalid_request', 'The target of the request is not a valid URL (RFC 9112, 3.2).');
  });
  return (request, response) => {
    const [expressRequest, expressResponse] = [request as Request, response as Response];
    service(expressRequest, expressResponse, () => refuse(expressRequest, expressResponse, () => undefined));
  };
}

/** Express without X-Powered-By, ETag and nested query parameters. */
export function bareExpress(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  return app;
}

/** Refuses a request by its headers, and closes its connection. */
function standardHeaders(door: Door): RequestHandler {
  return (request, response, next) => {
    const fault = headerFault(request);
    if (fault === undefined) return next();
    response.setHeader('Connection', 'close');
    door('none', () => Promise.reject(new GatewayError('invalid_request', fault)))(request, response, next);
  };
}

/** What is wrong with Host (RFC 9112, 3.2) or Expect (RFC 9110, 10.1.1). A proxy may have routed by a second Host. */
function headerFault({ rawHeaders, headers, httpVersion }: IncomingMessage): string | undefined {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) return 'Host: send it once (RFC 9112).';
  const { expect = '100-continue' } = headers;
  return expect.toLowerCase() === '100-continue' ? undefined : 'Expect: only 100-continue is known; leave it out.';
}

const HEALTH_ROUTES = ['/health/live', '/health/ready'];

const noSuchRoute: Handler = async () => {
  throw new GatewayError('not_found', 'There is no such route; predictions are at POST /predict.');
};

/** Renders an error from outside the handlers like all other errors. */
function onUncaughtError(door: Door): ErrorRequestHandler {
  return (error, request, response, next) => door('none', () => Promise.reject(error))(request, response, next);
}
