/** The unary methods of a gRPC service. */
import type { RequestContext } from '../domain/request.ts';
import type { RoomyMessage } from '../domain/roomy-message.ts';

export type Call = {
  /**
   * Receives the request's message. Throws `body_too_large`, `unsupported_media` (compressed), `invalid_request`,
   * `client_timeout`, `client_gone` and `overloaded`.
   */
  message(): Promise<RoomyMessage>;
};

/** The serialized answer in pieces, which are sent one after the other. */
export type Reply = readonly Uint8Array[];

export type Method = (call: Call, context: RequestContext) => Promise<Reply>;

/** A method that needs no API key, is not limited, and has no line in the log. */
export type OpenMethod = (call: Call) => Promise<Reply>;

/** Methods by their paths: `/package.Service/Method`. */
export type Methods<Handler = Method> = Readonly<Record<string, Handler>>;
