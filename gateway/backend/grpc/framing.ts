/** gRPC's Length-Prefixed-Message (gRPC over HTTP/2, "Requests"): a compression flag, the length, the message. */

export const PREFIX_BYTES = 5;

/** Puts the prefix before a message. Copies the message, so it is for small ones. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(PREFIX_BYTES + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

/** The message from `start` to `end` with its prefix, which is written into the PREFIX_BYTES before it. */
export function prefixed(memory: ArrayBuffer, start: number, end: number): Buffer {
  const framed = Buffer.from(memory, start - PREFIX_BYTES, PREFIX_BYTES + end - start);
  framed[0] = 0;
  framed.writeUInt32BE(end - start, 1);
  return framed;
}
