/** Node's HTTP server with its limits: sizes, timeouts, connections and their requests. */
import type { RequestListener, Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { http } from '../domain/node-http.ts';
import type { Log } from '../domain/request.ts';
import { type CertificateFiles, readCertificate, renewCertificate } from '../door/tls.ts';
import { boundConnections } from './connections.ts';
import { probeHalfClosed } from './half-closed.ts';
import { boundHeads, MAX_HEADERS } from './heads.ts';
import { BoundedRequest, oneByOne } from './pipelining.ts';
import { readInSmallParts } from './small-reads.ts';

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
  /** Open connections at most. */
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
    // A missing Host is refused by the service, like all else.
    requireHostHeader: false,
    IncomingMessage: BoundedRequest,
    // Another protocol is not offered: Upgrade is ignored (RFC 9110, 7.8).
    shouldUpgradeCallback: () => false,
  };
  const inOrder = oneByOne(listener);
  const server = tls ? secureServer(inOrder, limits, { tls, log }) : http.createServer(limits, inOrder);
  const opened = tls ? 'secureConnection' : 'connection';
  server.maxHeadersCount = MAX_HEADERS;
  // Without a byte in either direction for so long: a client that does not read its answer.
  server.timeout = requestTimeoutMs;
  server.on(opened, readInSmallParts);
  // A client that has closed its half of the connection gets its answer. Node has no documented option for it.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on(opened, probeHalfClosed);
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  return boundHeads(boundConnections(server, maxConnections, opened), opened);
}

function secureServer(
  listener: RequestListener,
  limits: object,
  { tls, log }: { tls: CertificateFiles; log: Log },
): Server {
  const options = { allowHalfOpen: true, ALPNProtocols: ['http/1.1'], handshakeTimeout: MAX_HEADERS_MS };
  const server = createTlsServer({ ...limits, ...options, ...readCertificate(tls) }, listener);
  const renewal = renewCertificate(server, tls, log);
  return server.once('close', renewal.close);
}
