/** How the gateway asks a decoder process: a frame of a JSON head and a body of bytes, nothing executable. */

export type Frame = { readonly head: unknown; readonly body: Uint8Array };

/** Lengths of head and body, uint32 each. */
export const PREFIX_BYTES = 8;
const MAX_HEAD_BYTES = 64 * 1024;

/** A frame up to its body, which is sent after it as it lies. */
export function frameStart(head: object, body: Uint8Array): Buffer {
  const text = JSON.stringify(head);
  const headBytes = Buffer.byteLength(text);
  const start = Buffer.allocUnsafe(PREFIX_BYTES + headBytes);
  start.writeUInt32LE(headBytes, 0);
  start.writeUInt32LE(body.byteLength, 4);
  start.write(text, PREFIX_BYTES);
  return start;
}

/** Reads a prefix: the bytes of the head and of the body. @throws RangeError when they are more than allowed. */
export function frameLengths(prefix: Uint8Array, maxBodyBytes: number): [head: number, body: number] {
  const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_BYTES);
  const [head, body] = [view.getUint32(0, true), view.getUint32(4, true)];
  if (head > MAX_HEAD_BYTES || body > maxBodyBytes) throw new RangeError(`a frame of ${head} + ${body} bytes`);
  return [head, body];
}

/** Parts what follows a prefix. The body is copied nowhere. */
export function partFrame(rest: Uint8Array, headBytes: number): Frame {
  const head = Buffer.from(rest.buffer, rest.byteOffset, headBytes).toString('utf8');
  return { head: JSON.parse(head), body: rest.subarray(headBytes) };
}
