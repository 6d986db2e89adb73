/** The message that carries a job to a decoder process: two lengths, a JSON head, a body of raw bytes. */

export type Message = { readonly head: unknown; readonly body: Uint8Array };

/** Lengths of head and body, uint32 each. */
export const PREFIX_BYTES = 8;
const MAX_HEAD_BYTES = 64 * 1024;

/** The prefix and head of a message. The caller writes the body after it, which saves a copy. */
export function messageStart(head: object, body: Uint8Array): Buffer {
  const text = JSON.stringify(head);
  const headBytes = Buffer.byteLength(text);
  const start = Buffer.allocUnsafe(PREFIX_BYTES + headBytes);
  start.writeUInt32LE(headBytes, 0);
  start.writeUInt32LE(body.byteLength, 4);
  start.write(text, PREFIX_BYTES);
  return start;
}

/** Reads the lengths of head and body from a prefix. @throws RangeError when a length is above its limit. */
export function readLengths(prefix: Uint8Array, maxBodyBytes: number): [head: number, body: number] {
  const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_BYTES);
  const [head, body] = [view.getUint32(0, true), view.getUint32(4, true)];
  if (head > MAX_HEAD_BYTES || body > maxBodyBytes) throw new RangeError(`a message of ${head} + ${body} bytes`);
  return [head, body];
}

/** Splits the bytes after a prefix into head and body. The body is a view, not a copy. */
export function parseMessage(bytes: Uint8Array, headBytes: number): Message {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, headBytes).toString('utf8');
  return { head: JSON.parse(head), body: bytes.subarray(headBytes) };
}
