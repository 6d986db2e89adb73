/** Node's server with every limit set: what it takes of a connection before the first handler sees anything. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Log } from '../domain/request.ts';
import { readCertificate, renewCertificate, type TlsFiles } from './tls.ts';

/** Headers are small: a client that takes longer for them is a slow loris. */
const MAX_HEADERS_MS = 10_000;
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * Longer than any proxy keeps a connection it may send the next request on (Google's load balancer: 600 s, nginx: 60 s),
 * or that request would meet a closed socket, and a POST is not sent twice.
 */
const KEEP_ALIVE_MS = 620_000;

export type ServerOptions = {
  /** A request has to be here, body and all, in this time. */
  readonly requestTimeoutMs: number;
  /** Open connections; one more closes those that wait for a next request, and is closed itself. */
  readonly maxConnections: number;
  /** Makes it an HTTPS server. */
  readonly tls?: TlsFiles | undefined;
  readonly log: Log;
};

/** Makes a server that listens nowhere yet. Throws for a certificate that cannot be read. */
export function createLimitedServer(listener: RequestListener, options: ServerOptions): Server {
  const { requestTimeoutMs, maxConnections, tls, log } = options;
  const limits = {
    requestTimeout: requestTimeoutMs,
    headersTimeout: Math.min(requestTimeoutMs, MAX_HEADERS_MS),
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: 1000,
    maxHeaderSize: MAX_HEADER_BYTES,
    // A lenient parser and the proxy before it may disagree where a request ends: that is how requests are smuggled.
    insecureHTTPParser: false,
    requireHostHeader: true,
  };
  const server = tls ? secureServer(listener, limits, { tls, log }) : createServer(limits, listener);
  // Above a count Node would drop headers and say nothing; their bytes are bounded already.
  server.maxHeadersCount = 0;
  server.maxConnections = maxConnections;
  return server.on('drop', () => server.closeIdleConnections());
}

function secureServer(listener: RequestListener, limits: object, { tls, log }: { tls: TlsFiles; log: Log }): Server {
  const server = createTlsServer(
    { ...limits, ...readCertificate(tls), ALPNProtocols: ['http/1.1'], handshakeTimeout: MAX_HEADERS_MS },
    listener,
  );
  const renewal = renewCertificate(server, tls, log);
  return server.once('close', renewal.close);
}
