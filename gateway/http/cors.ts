/** CORS (Fetch standard): which origins' pages may call from a browser. */
import type { RequestHandler } from 'express';

const METHODS = 'POST';
const HEADERS =
  'Authorization, Content-Type, X-API-Key, X-Request-Id, Traceparent, Tracestate, Inference-Header-Content-Length';
const EXPOSED =
  'Inference-Header-Content-Length, RateLimit, RateLimit-Policy, Retry-After, Server-Timing, X-Model-Version, X-Request-Id, X-Trace-Id';
/** The maximum that Chromium accepts. */
const MAX_AGE_S = 7200;

/**
 * Allows pages of these origins (`*`: all) to read answers, and answers their preflight requests with 204. Never allows
 * cookies: the gateway has none.
 */
export function corsFor(origins: readonly string[]): RequestHandler {
  const isAnyOrigin = origins.includes('*');
  return (request, response, next) => {
    const origin = request.get('origin');
    if (!isAnyOrigin) response.vary('Origin');
    if (origin === undefined || !(isAnyOrigin || origins.includes(origin))) return next();
    response.setHeader('Access-Control-Allow-Origin', isAnyOrigin ? '*' : origin);
    response.setHeader('Access-Control-Expose-Headers', EXPOSED);
    const isPreflight = request.method === 'OPTIONS' && request.get('access-control-request-method') !== undefined;
    if (!isPreflight) return next();
    response
      .setHeader('Access-Control-Allow-Methods', METHODS)
      .setHeader('Access-Control-Allow-Headers', HEADERS)
      .setHeader('Access-Control-Max-Age', MAX_AGE_S)
      .writeHead(204)
      .end();
  };
}
