/** CORS (the fetch standard's): which pages of other origins may call from a browser. */
import type { RequestHandler } from 'express';

const METHODS = 'POST';
const HEADERS = 'Authorization, Content-Type, X-API-Key, X-Request-Id';
const EXPOSED = 'RateLimit, RateLimit-Policy, Retry-After, Server-Timing, X-Model-Version, X-Request-Id';
/** The most that Chromium believes. */
const MAX_AGE_S = 7200;

/**
 * Lets pages of these origins read answers, and answers their preflights with 204. `*` lets every page. Cookies are
 * never allowed: none are used.
 */
export function corsFor(origins: readonly string[]): RequestHandler {
  const isAnyone = origins.includes('*');
  return (request, response, next) => {
    const origin = request.get('origin');
    if (!isAnyone) response.vary('Origin');
    if (origin === undefined || !(isAnyone || origins.includes(origin))) return next();
    response.setHeader('Access-Control-Allow-Origin', isAnyone ? '*' : origin);
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
