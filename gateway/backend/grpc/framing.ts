/** gRPC's Length-Prefixed-Message (gRPC over HTTP/2, "Requests"): a compression flag, the length, the message. */

export const PREFIX_BYTES = 5;

/** Puts the prefix before a message. Copies the message, so it is for small ones. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(PREFIX_BYTES + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}
