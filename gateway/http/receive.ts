/** Receives a request's body into one buffer, up to its limit, its deadline and the memory of all bodies. */

import { BodyBuffer } from '../door/body-buffer.ts';
import { lateBody, tooLarge } from '../door/body-limits.ts';
import type { HeldBody } from '../door/body-memory.ts';
import { DECOMPRESSOR_BYTES, damaged } from '../door/decompressor.ts';
import { asGatewayError, clientGone, type GatewayError } from '../errors.ts';
import { refuseDeclared } from './body-limits.ts';
import { onBroken } from './broken-body.ts';
import { decompressorOf } from './content-encoding.ts';
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
 * Receives the body, and decompresses it while it arrives. What arrives after a refusal is dropped, and its memory is free at
 * once. Throws `body_too_large`, `unsupported_media` and `invalid_request` (compressed in another way), `client_timeout` when the signal is aborted, `client_gone`, `overloaded`, and what
 * `onPiece` throws.
 */
export async function receiveBody({ request, signal }: Exchange, options: ReceiveOptions): Promise<Buffer> {
  const { maxBytes, setting, held, onPiece } = options;
  refuseDeclared(request, maxBytes, setting);
  const decompressor = decompressorOf(request);
  if (decompressor) held.take(DECOMPRESSOR_BYTES);
  const source = decompressor ? request.pipe(decompressor) : request;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const body = new BodyBuffer(maxBytes, held.take);
  let isDone = false;
  const refuse = (error: GatewayError) => {
    if (isDone) return;
    isDone = true;
    source.off('data', onData);
    if (decompressor) request.unpipe(decompressor.destroy());
    request.resume();
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
  request.on('error', onError);
  decompressor?.on('error', (cause) => refuse(damaged('Content-Encoding', cause)));
  source.on('data', onData);
  source.once('end', () => {
    if (isDone) return;
    isDone = true;
    resolve(body.bytes());
  });
  onBroken(request, refuse);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
