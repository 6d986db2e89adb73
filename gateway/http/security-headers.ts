/** Headers that keep a browser from making anything of an answer but the data that it is. */
import type { RequestHandler } from 'express';
import helmet from 'helmet';

const YEAR_S = 31_536_000;

/**
 * Helmet's, less those that only pages have a use for. HSTS goes over TLS alone (RFC 6797, 7.2): where a proxy ends it,
 * the header is the proxy's to send.
 */
export function securityHeaders(hasTls: boolean): RequestHandler {
  return helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: hasTls && { maxAge: YEAR_S, includeSubDomains: false },
    xFrameOptions: { action: 'deny' },
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xXssProtection: false,
  });
}
