/** How a GET gets to its source: straight, or through an egress proxy. */
import { constants } from 'node:crypto';
import type { LookupAddress } from 'node:dns';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';

/** TLS with a source. A server could ask for new handshakes without end, each of which costs CPU time. */
export const TLS_OPTIONS = { secureOptions: constants.SSL_OP_NO_RENEGOTIATION };

export type SenderOptions = {
  /** The headers of every request. */
  readonly headers: OutgoingHttpHeaders;
  /** Timeout until the connection to the source is ready, TLS included. */
  readonly connectTimeoutMs: number;
  /** Connections to one host and port at once. Further requests wait, within their own timeout. */
  readonly maxSockets: number;
  /** Connections to all sources together, kept ones included. `SourcePlaces` shares them. */
  readonly maxTotalSockets: number;
  /** Size limit of a body. A response may take little more on the wire. */
  readonly maxBodyBytes: number;
};

export type Headers = Readonly<Record<string, string>>;

export type Sender = {
  /**
   * Sends a GET to one of the addresses, which the guard has allowed, and resolves with the head of the response. The
   * caller reads or destroys the body. `own`: headers of this request, beside those of every request.
   */
  send(url: URL, addresses: readonly LookupAddress[], signal: AbortSignal, own?: Headers): Promise<IncomingMessage>;
  close(): void;
};
