/**
 * Clients that have closed their half of the connection and wait for the answer, as `nc -N` does. A client that has gone
 * looks the same, until something is sent to it: its system answers with a reset (RFC 9293, 3.10.7.1).
 */
import type { Socket } from 'node:net';
import { firstUnanswered } from './pipelining.ts';

/** From then on after twice the time each. The first write provokes the reset, and the second one fails because of it. */
const FIRST_PROBE_MS = 20;

/**
 * Sends interim answers while a half-closed connection waits for its answer: clients skip them (RFC 9110, 15.2), and the
 * connection of a client that has gone closes.
 */
export function probeHalfClosed(socket: Socket): void {
  let timer: NodeJS.Timeout | undefined;
  let elapsedMs = FIRST_PROBE_MS;
  function probe(): void {
    const { request, response } = firstUnanswered(socket) ?? {};
    if (!response || socket.destroyed) return;
    // HTTP/1.0 has no interim answers.
    if (request?.httpVersion === '1.1' && !response.headersSent) response.writeContinue();
    timer = setTimeout(probe, elapsedMs);
    elapsedMs *= 2;
  }
  socket.once('end', () => {
    timer = setTimeout(probe, elapsedMs);
  });
  socket.once('close', () => clearTimeout(timer));
}
