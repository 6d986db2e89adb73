/** Reads the head of a response before Node's parser does. */
import { GatewayError } from '../errors.ts';
import { isInterim, MAX_HEAD_BYTES, mayStartHead, startsTidy, tidyHead } from './response-head.ts';

const [LF, CR] = [0x0a, 0x0d];
/** Interim responses before the final one. Real sources send one or two. */
const MAX_INTERIM = 8;

/**
 * Holds what arrives until the final head of one response is complete. Empty lines before it and interim responses are
 * dropped as they come, so every byte is looked at once.
 */
export class HeadReader {
  #held: Buffer = Buffer.alloc(0);
  #droppedBytes = 0;
  #interim = 0;

  /**
   * Takes the next bytes. Returns those for the parser, the tidied head first; undefined while the head is not complete.
   * Bytes that do not start as HTTP does are returned as they are, so that the parser refuses them at once. Throws
   * `source_failed` for a head above the limit, and for more than eight interim responses.
   */
  read(chunk: Buffer): readonly Buffer[] | undefined {
    const heldBytes = this.#held.length;
    if (heldBytes + this.#droppedBytes === 0 && startsTidy(chunk)) return [chunk];
    this.#held = heldBytes === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    // The last two bytes can be the start of an empty line.
    for (let searchFrom = Math.max(0, heldBytes - 2); ; searchFrom = 0) {
      this.#drop(lengthOfEmptyLines(this.#held));
      if (!mayStartHead(this.#held)) return [this.#held];
      const end = endOfHead(this.#held, searchFrom);
      if (this.#droppedBytes + (end ?? this.#held.length) > MAX_HEAD_BYTES) throw tooLarge();
      if (end === undefined) return undefined;
      const head = this.#held.toString('latin1', 0, end);
      if (!isInterim(head)) return [Buffer.from(tidyHead(head), 'latin1'), this.#held.subarray(end)];
      if (++this.#interim > MAX_INTERIM) throw tooManyInterim();
      this.#drop(end);
    }
  }

  /** What is held of a head that is not complete. */
  get rest(): Buffer {
    return this.#held;
  }

  #drop(bytes: number): void {
    this.#held = this.#held.subarray(bytes);
    this.#droppedBytes += bytes;
  }
}

function lengthOfEmptyLines(bytes: Buffer): number {
  const at = bytes.findIndex((byte) => byte !== CR && byte !== LF);
  return at < 0 ? bytes.length : at;
}

/** The position after the first empty line, which ends a head. A bare LF ends a line too (RFC 9112, 2.2). */
function endOfHead(bytes: Buffer, from: number): number | undefined {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return undefined;
}

const tooLarge = () =>
  new GatewayError('source_failed', `the source's answer has a head of more than ${MAX_HEAD_BYTES} bytes`);

const tooManyInterim = () =>
  new GatewayError('source_failed', `the source sends more than ${MAX_INTERIM} interim responses (status 1xx)`);
