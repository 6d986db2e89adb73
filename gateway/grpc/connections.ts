/** Bounds the connections of a gRPC server: their number, their idle time, and how they end. */
import type { Http2Server, Http2Session } from 'node:http2';
import { Handshakes } from '../door/handshakes.ts';
import { boundSockets } from '../door/open-sockets.ts';

/** From the connection to the client's first frame. */
const PREFACE_MS = 10_000;
/** Longer than the idle timeout of proxies (Google's load balancer: 600 s): they should close idle connections. */
const IDLE_MS = 620_000;
export type Connections = {
  /**
   * Tells all clients to send no more calls here (GOAWAY). The calls that were accepted are answered, then their connection
   * closes. Others are refused as not processed: gRPC's clients send them elsewhere by themselves.
   */
  end(): void;
  closeAll(): void;
};

/**
 * Lets `max` connections be open. A new one above it takes the place of the one without calls that has been idle the
 * longest. If all have calls, the new one is closed. `isSecure`: where more than a few TLS handshakes are on their way, a
 * new connection above the limit takes the place of the oldest one.
 */
export function boundConnections(server: Http2Server, max: number, isSecure: boolean): Connections {
  const handshakes = isSecure ? new Handshakes(server) : undefined;
  boundSockets(server, max, () => void handshakes?.closeOldest());
  /** The calls of each connection, in the order in which they were opened or had their last call. */
  const calls = new Map<Http2Session, number>();
  server.on('session', (session) => {
    if (calls.size >= max && !closeOneOf(calls)) return session.destroy();
    calls.set(session, 0);
    session.once('close', () => calls.delete(session));
    closeIdle(session, () => calls.get(session) === 0);
  });
  server.on('stream', (stream) => {
    const { session } = stream;
    const count = session && calls.get(session);
    if (session === undefined || count === undefined) return;
    calls.set(session, count + 1);
    stream.once('close', () => {
      const open = calls.get(session);
      if (open === undefined) return;
      calls.delete(session);
      calls.set(session, open - 1);
    });
  });
  return {
    end() {
      for (const session of calls.keys()) session.close();
    },
    closeAll() {
      for (const session of calls.keys()) session.destroy();
    },
  };
}

function closeOneOf(calls: ReadonlyMap<Http2Session, number>): boolean {
  for (const [session, count] of calls) {
    if (count > 0) continue;
    session.close();
    return true;
  }
  return false;
}

function closeIdle(session: Http2Session, isIdle: () => boolean): void {
  session.setTimeout(PREFACE_MS, () => session.destroy());
  session.once('remoteSettings', () => session.setTimeout(IDLE_MS));
  session.on('timeout', () => isIdle() && session.close());
}
