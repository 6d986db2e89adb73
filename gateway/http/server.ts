/** Node's HTTP server with its limits: sizes, timeouts and connections. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Log } from '../domain/request.ts';
import { type CertificateFiles, readCertificate, renewCertificate } from './tls.ts';

/** Headers are small: a client that needs longer is a slowloris attack. */
const MAX_HEADERS_MS = 10_000;
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * Longer than the keep-alive timeout of proxies (Google's load balancer: 600 s, nginx: 60 s): the proxy has to close
 * idle connections. Otherwise it could send a request on a connection that was just closed, and it does not retry POST.
 */
const KEEP_ALIVE_MS = 620_000;

export type ServerOptions = {
  /** Time for a request to arrive, including its body. */
  readonly requestTimeoutMs: number;
  /** Open connections at most. A connection over the limit is closed, and so are all idle ones, to make room. */
  readonly maxConnections: number;
  /** If set, the server is an HTTPS server. */
  readonly tls?: CertificateFiles | undefined;
  readonly log: Log;
};

/** Creates a server that does not listen yet. Throws for a certificate that cannot be read. */
export function createLimitedServer(listener: RequestListener, options: ServerOptions): Server {
  const { requestTimeoutMs, maxConnections, tls, log } = options;
  const limits = {
    requestTimeout: requestTimeoutMs,
    headersTimeout: Math.min(requestTimeoutMs, MAX_HEADERS_MS),
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: 1000,
    maxHeaderSize: MAX_HEADER_BYTES,
    // Request smuggling: a lenient parser may see the end of a request elsewhere than the proxy in front of it.
    insecureHTTPParser: false,
    requireHostHeader: true,
  };
  const server = tls ? secureServer(listener, limits, { tls, log }) : createServer(limits, listener);
  // No limit on the number of headers: Node drops those above it silently. maxHeaderSize bounds their bytes.
  server.maxHeadersCount = 0;
  server.maxConnections = maxConnections;
  return server.on('drop', () => server.closeIdleConnections());
}

function secureServer(
  listener: RequestListener,
  limits: object,
  { tls, log }: { tls: CertificateFiles; log: Log },
): Server {
  const server = createTlsServer(
    { ...limits, ...readCertificate(tls), ALPNProtocols: ['http/1.1'], handshakeTimeout: MAX_HEADERS_MS },
    listener,
  );
  const renewal = renewCertificate(server, tls, log);
  return server.once('close', renewal.close);
}
