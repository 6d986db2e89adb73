/** Receives a request's body into one buffer, up to its limit, its deadline and the memory of all bodies. */

import { BodyBuffer } from '../door/body-buffer.ts';
import { lateBody, tooLarge } from '../door/body-limits.ts';
import type { HeldBody } from '../door/body-memory.ts';
import { asGatewayError, clientGone, type GatewayError } from '../errors.ts';
import { refuseDeclared, refuseEncoded } from './body-limits.ts';
import type { Exchange } from './exchange.ts';

export type ReceiveOptions = {
  readonly maxBytes: number;
  /** The setting to raise, for the error text. */
  readonly setting: string;
  readonly held: HeldBody;
  /** Called with each piece as it arrives. What it throws refuses the body. */
  readonly onPiece?: (piece: Buffer) => void;
};

/**
 * Receives the body. What arrives after a refusal is dropped, and its memory is free at once. Throws `body_too_large`,
 * `unsupported_media` (compressed), `client_timeout` when the signal is aborted, `client_gone`, `overloaded`, and what
 * `onPiece` throws.
 */
export async function receiveBody({ request, signal }: Exchange, options: ReceiveOptions): Promise<Buffer> {
  const { maxBytes, setting, held, onPiece } = options;
  refuseEncoded(request);
  refuseDeclared(request, maxBytes, setting);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const body = new BodyBuffer(maxBytes, held.take);
  let isDone = false;
  const refuse = (error: GatewayError) => {
    if (isDone) return;
    isDone = true;
    request.off('data', onData).resume();
    body.free();
    held.release();
    reject(error);
  };
  const onData = (piece: Buffer) => {
    try {
      if (body.length + piece.length > maxBytes) throw tooLarge(maxBytes, setting);
      onPiece?.(piece);
      body.append(piece);
    } catch (thrown) {
      refuse(asGatewayError(thrown));
    }
  };
  const onAbort = () => refuse(lateBody(signal));
  const onError = (cause: Error) => refuse(clientGone(cause));
  request.on('data', onData).on('error', onError);
  request.once('end', () => {
    if (isDone) return;
    isDone = true;
    resolve(body.bytes());
  });
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
