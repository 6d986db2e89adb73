/** What a body is read from. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request whose body is read. An aborted signal stops the reading. Its bytes count until the response is closed. */
export type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
};
