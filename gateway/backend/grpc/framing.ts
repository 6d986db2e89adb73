/** gRPC's Length-Prefixed-Message (gRPC over HTTP/2, "Requests"): a flag for compression, the length, the message. */
import { status } from '@grpc/grpc-js';
import { asError } from './failure.ts';

const PREFIX_BYTES = 5;

/** A message behind its prefix, copied once: for small ones. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(PREFIX_BYTES + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

/** The message of a frame, which is not copied. Throws INTERNAL where it is compressed, which the gateway never allows. */
export function unframe(framed: Buffer): Buffer {
  if (framed[0] !== 0) throw asError(status.INTERNAL, 'the server compressed its answer though it was not asked to');
  return framed.subarray(PREFIX_BYTES);
}
