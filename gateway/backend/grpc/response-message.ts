/** The one message of a unary response, put together from the pieces in which it arrives. */
import type { ClientHttp2Stream } from 'node:http2';
import { type Metadata, status } from '@grpc/grpc-js';
import { asGatewayError, type GatewayError } from '../../errors.ts';
import type { AnswerMemory } from './answer-memory.ts';
import type { Status } from './failure.ts';
import { PREFIX_BYTES } from './framing.ts';

/** Interim responses (1xx) that a call may get. No gRPC server sends any. */
const MAX_INTERIM = 10;

const GRPC_CONTENT_TYPE = /^application\/grpc/i;

/** A message arrives in few pieces: HTTP/2 frames of 16 kB. Each costs time, whatever its size. */
const FREE_PIECES = 1024;
const MIN_PIECE_BYTES = 64;

/** Why a response was refused. `refusal`: the gateway has no memory for it, though the server did nothing wrong. */
type Fault = Status & { readonly refusal?: GatewayError };

/** Private members of grpc-js's Http2SubchannelCall. */
type Internals = { decoder: Pick<ResponseMessage, 'write'>; readonly http2Stream: ClientHttp2Stream };

/**
 * Takes the place of grpc-js's own decoder, which has one limit for all calls, keeps pieces of any size, and decodes
 * messages as long as they come. Refuses a message by its prefix, before memory is taken for it: larger than the limit,
 * compressed (which the gateway does not offer), the second one, or one for which there is no memory.
 */
export class ResponseMessage {
  readonly #maxBytes: number;
  readonly #memory: AnswerMemory | undefined;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #message: Buffer | undefined;
  /** Bytes of prefix and message so far, and the pieces they came in. */
  #bytes = 0;
  #pieces = 0;
  #fault: Fault | undefined;
  #countedBytes = 0;

  /** `memory`: counts the message. Unset: for small messages. */
  constructor(maxBytes: number, memory?: AnswerMemory) {
    this.#maxBytes = maxBytes;
    this.#memory = memory;
  }

  /** Why the response was refused. */
  get fault(): Fault | undefined {
    return this.#fault;
  }

  /** Gives back the memory of a message that did not arrive. */
  giveBack(): void {
    this.#memory?.give(this.#countedBytes);
    this.#countedBytes = 0;
  }

  /**
   * Has a grpc-js call put its response together here. It offers no other way than its private members; tests hold it to
   * its version.
   */
  takeOver(call: object): void {
    const { http2Stream } = Object.assign(call as Internals, { decoder: this });
    let interim = 0;
    http2Stream.on('headers', () => {
      interim += 1;
      if (interim > MAX_INTERIM) http2Stream.session?.destroy(new Error('interim responses without end'));
    });
  }

  /** Takes the headers. Behind another content type is the page of a proxy, not a message. */
  expect(headers: Metadata): void {
    const [contentType] = headers.get('content-type');
    if (contentType === undefined || GRPC_CONTENT_TYPE.test(String(contentType))) return;
    this.#refuse(status.UNKNOWN, `the server sent ${contentType}, not gRPC`);
  }

  /**
   * Takes the next piece. Returns the message, without its prefix, in a list as grpc-js wants it, when it is complete.
   * Throws the fault: grpc-js then ends the call.
   */
  write(piece: Buffer): Buffer[] {
    this.#pieces += 1;
    if (this.#pieces > FREE_PIECES + this.#bytes / MIN_PIECE_BYTES) {
      this.#refuse(status.INTERNAL, 'the server sent the response in crumbs');
    }
    const message = this.#fault ? undefined : this.#take(piece);
    if (this.#fault) throw new Error(this.#fault.details);
    return message ? [message] : [];
  }

  #take(piece: Buffer): Buffer | undefined {
    const ofPrefix = piece.copy(this.#prefix, Math.min(this.#bytes, PREFIX_BYTES));
    this.#bytes += ofPrefix;
    if (this.#bytes < PREFIX_BYTES) return undefined;
    const length = this.#prefix.readUInt32BE(1);
    if (!this.#message) this.#checkPrefix(length);
    if (this.#fault) return undefined;
    this.#message ??= Buffer.allocUnsafeSlow(length);
    const rest = piece.subarray(ofPrefix);
    const filled = this.#bytes - PREFIX_BYTES;
    const isComplete = filled + rest.length === length;
    if (filled + rest.length > length) this.#refuse(status.INTERNAL, 'the server sent more than one message');
    rest.copy(this.#message, filled);
    this.#bytes += rest.length;
    return isComplete ? this.#message : undefined;
  }

  #refuse(code: status, details: string): void {
    this.#fault ??= { code, details };
  }

  #checkPrefix(length: number): void {
    if (this.#prefix[0] !== 0) {
      this.#refuse(status.INTERNAL, 'the server sent a compressed response, which was not offered');
    } else if (length > this.#maxBytes) {
      const details = `the server sent a message larger than the limit (${length} and ${this.#maxBytes} bytes)`;
      this.#refuse(status.RESOURCE_EXHAUSTED, details);
    } else {
      this.#takeMemory(length);
    }
  }

  #takeMemory(bytes: number): void {
    try {
      this.#memory?.take(bytes);
      this.#countedBytes = bytes;
    } catch (thrown) {
      const refusal = asGatewayError(thrown);
      this.#fault ??= { code: status.RESOURCE_EXHAUSTED, details: refusal.message, refusal };
    }
  }
}
