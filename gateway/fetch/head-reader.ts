/** Reads the head of a response before Node's parser does. */
import type { Socket } from 'node:net';
import { GatewayError } from '../errors.ts';
import { findHead, MAX_HEAD_BYTES, startsTidy } from './response-head.ts';

const LF = 0x0a;

/**
 * Holds what arrives on the socket until the head of the next response is complete, then passes it on tidied. Destroys
 * the socket with `source_failed` when the head is above the limit.
 *
 * All bytes enter a socket through `push`, decrypted ones too. Another one takes its place until the head is passed on.
 */
export function tidyNextHead(socket: Socket): void {
  const { push } = socket;
  let held: Buffer = Buffer.alloc(0);

  function passOn(...parts: readonly (Buffer | null)[]): boolean {
    socket.push = push;
    const pushed = parts.filter((part) => part?.length !== 0).map((part) => socket.push(part));
    return pushed.every(Boolean);
  }

  socket.push = (chunk: Buffer | null) => {
    if (chunk === null) return passOn(held, null);
    const isFirst = held.length === 0;
    if (isFirst && startsTidy(chunk)) return passOn(chunk);
    held = isFirst ? chunk : Buffer.concat([held, chunk]);
    const found = isFirst || chunk.includes(LF) ? findHead(held.toString('latin1', 0, MAX_HEAD_BYTES)) : undefined;
    if (found) return passOn(Buffer.from(found.head, 'latin1'), held.subarray(found.bodyAt));
    if (held.length > MAX_HEAD_BYTES) socket.destroy(tooLarge());
    return true;
  };
}

const tooLarge = () =>
  new GatewayError('source_failed', `the source's answer has a head of more than ${MAX_HEAD_BYTES} bytes`);
