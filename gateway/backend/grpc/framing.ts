/** gRPC's Length-Prefixed-Message (gRPC over HTTP/2, "Requests"): a compression flag, the length, the message. */
import { status } from '@grpc/grpc-js';
import { statusError } from './failure.ts';

const PREFIX_BYTES = 5;

/** Puts the prefix before a message. Copies the message, so it is for small ones. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(PREFIX_BYTES + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

/** The message behind the prefix, not copied. Throws INTERNAL if it is compressed, which the gateway does not offer. */
export function unframe(framed: Buffer): Buffer {
  if (framed[0] !== 0)
    throw statusError(status.INTERNAL, 'the server sent a compressed response, which was not offered');
  return framed.subarray(PREFIX_BYTES);
}
