/** The gRPC server: Node's HTTP/2 server with its limits. */
import { createSecureServer, createServer, type Http2Server } from 'node:http2';
import type { Server as Listener } from 'node:net';
import type { Log } from '../domain/request.ts';
import type { Drainable } from '../door/lifecycle.ts';
import { stopListening } from '../door/listen.ts';
import { followSockets } from '../door/open-sockets.ts';
import { type CertificateFiles, readCertificate, renewCertificate } from '../door/tls.ts';
import { boundCalls, type OnCall } from './calls.ts';
import { boundConnections } from './connections.ts';
import { readInTurn } from './read-turns.ts';

/** Calls of one connection at once. A client waits with the others. */
export const MAX_CALLS = 256;
/** What "gRPC over HTTP/2" suggests (Requests, Request-Headers). */
export const MAX_HEADER_BYTES = 8 * 1024;
const HANDSHAKE_MS = 10_000;
/** HTTP/2's default of 64 kB allows 64 kB a round trip. */
const WINDOWS = { callBytes: 256 * 1024, connectionBytes: 2 ** 20 };
/** In megabytes. Node would refuse calls while a connection has more of answers to send; their sizes are bounded elsewhere. */
const MAX_SESSION_MEMORY = 2 ** 20;

export type GrpcServerOptions = {
  /** Open connections at most. */
  readonly maxConnections: number;
  /** If set, the server takes TLS only. */
  readonly tls?: Tls | undefined;
  /** What a client may send ahead of what is read, on a call and on a connection. */
  readonly windows?: { readonly callBytes: number; readonly connectionBytes: number };
};

type Tls = { readonly files: CertificateFiles; readonly log: Log };

export type GrpcServer = { readonly listener: Listener; readonly drainable: Drainable };

/** Creates a server that does not listen yet. Throws for a certificate that cannot be read. */
export function createGrpcServer(onCall: OnCall, options: GrpcServerOptions): GrpcServer {
  const { maxConnections, tls, windows = WINDOWS } = options;
  const limits = {
    settings: {
      maxConcurrentStreams: MAX_CALLS,
      maxHeaderListSize: MAX_HEADER_BYTES,
      initialWindowSize: windows.callBytes,
      enablePush: false,
    },
    maxSessionMemory: MAX_SESSION_MEMORY,
  };
  const server = tls ? secureServer(limits, tls) : createServer(limits);
  const closeSockets = followSockets(server);
  const connections = boundConnections(server, maxConnections, tls !== undefined);
  readInTurn(server, tls ? 'secureConnection' : 'connection');
  const take = boundCalls(onCall);
  server.on('session', (session) => {
    // One above the bound is closed already.
    if (!session.destroyed) session.setLocalWindowSize(windows.connectionBytes);
  });
  server.on('stream', (stream, headers) => {
    // A stream that fails is closed, which is noticed there.
    stream.on('error', () => undefined);
    take({ stream, headers });
  });
  const drainable: Drainable = {
    onRequest: (listener) => void server.on('stream', (stream) => listener(stream)),
    stop(onClosed) {
      stopListening(server, onClosed);
      connections.end();
    },
    close() {
      server.close();
      connections.closeAll();
      closeSockets();
    },
  };
  return { listener: server, drainable };
}

function secureServer(limits: object, { files, log }: Tls): Http2Server {
  const options = { ALPNProtocols: ['h2'], handshakeTimeout: HANDSHAKE_MS };
  const server = createSecureServer({ ...limits, ...options, ...readCertificate(files) });
  const renewal = renewCertificate(server, files, log);
  server.once('close', renewal.close);
  return server as unknown as Http2Server;
}
