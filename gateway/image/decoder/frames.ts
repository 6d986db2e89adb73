/** How the gateway and a decoder process talk over a pipe: frames of a JSON head and a body of bytes, nothing executable. */

export type Frame = { readonly head: unknown; readonly body: Uint8Array };

/** Lengths of head and body, uint32 each. */
export const PREFIX_BYTES = 8;
const MAX_HEAD_BYTES = 64 * 1024;

/** A frame up to its body, which is sent after it as it lies. Spaces bring the body to where a float32 may start. */
export function frameStart(head: object, body: Uint8Array): Buffer {
  const text = JSON.stringify(head);
  const headBytes = 4 * Math.ceil(Buffer.byteLength(text) / 4);
  const start = Buffer.alloc(PREFIX_BYTES + headBytes, ' ');
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

/**
 * Puts frames together from what a socket gives, each byte copied once.
 * @throws RangeError or SyntaxError from `push` when the bytes are no frame within the bound.
 */
export function createFrameReader(maxBodyBytes: () => number, onFrame: (frame: Frame) => void) {
  let headBytes: number | undefined;
  let wanted = Buffer.allocUnsafeSlow(PREFIX_BYTES);
  let filled = 0;
  return {
    push(chunk: Uint8Array): void {
      for (let at = 0; at < chunk.length; ) {
        const part = chunk.subarray(at, at + wanted.length - filled);
        wanted.set(part, filled);
        filled += part.length;
        at += part.length;
        if (filled < wanted.length) return;
        const full = wanted;
        filled = 0;
        if (headBytes === undefined) {
          const [head, body] = frameLengths(full, maxBodyBytes());
          headBytes = head;
          wanted = Buffer.allocUnsafeSlow(head + body);
        } else {
          const frame = partFrame(full, headBytes);
          headBytes = undefined;
          wanted = Buffer.allocUnsafeSlow(PREFIX_BYTES);
          onFrame(frame);
        }
      }
    },
  };
}
