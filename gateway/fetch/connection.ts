/** One HTTP request: its time to connect, the check of its peer, and the head of its response. */
import type http from 'node:http';
import type { Socket } from 'node:net';
import { notHttp, sourceTimeout } from './failure.ts';

export type ConnectionCheck = {
  /** The event of a connected socket: `secureConnect` with TLS. */
  readonly connectEvent: 'connect' | 'secureConnect';
  readonly connectTimeoutMs: number;
  /** Throws if the socket must not be used for the request. */
  readonly checkPeer: (address: string) => void;
};

/**
 * Limits the time to connect, and checks the address that the socket is really connected to. A reused socket is checked
 * at once. A failed check destroys the request before it is sent.
 */
export function checkConnection(request: http.ClientRequest, check: ConnectionCheck): void {
  request.once('socket', (socket) => {
    if (!socket.connecting) {
      checkSocket(request, socket, check);
      return;
    }
    const timer = setTimeout(() => request.destroy(sourceTimeout()), check.connectTimeoutMs);
    request.once('close', () => clearTimeout(timer));
    socket.once(check.connectEvent, () => {
      clearTimeout(timer);
      checkSocket(request, socket, check);
    });
  });
}

function checkSocket(request: http.ClientRequest, { remoteAddress }: Socket, { checkPeer }: ConnectionCheck): void {
  try {
    if (remoteAddress !== undefined) checkPeer(remoteAddress);
  } catch (refusal) {
    request.destroy(refusal as Error);
  }
}

/**
 * Resolves with the head of the response. A request can close without a response and without an error. Throws
 * `source_failed` if the server switches protocols unasked.
 */
export function responseTo(request: http.ClientRequest): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const onClose = () => reject(new Error('the connection closed without a response'));
  request.once('close', onClose);
  request.on('error', reject);
  request.once('upgrade', (_response, socket) => {
    socket.destroy();
    reject(notHttp());
  });
  request.once('response', (response) => {
    request.off('close', onClose);
    resolve(response);
  });
  return promise;
}
