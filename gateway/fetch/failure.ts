/** Turns whatever ended a fetch into the error that the client may see and the cause that the log gets. */
import { GatewayError } from '../errors.ts';
import { Refusal } from './guard.ts';
import { redactUrl } from './source-url.ts';

/** One fetch, as far as it came. */
export type Attempt = {
  readonly field: string;
  readonly hops: readonly URL[];
  /** Aborted by the client or by the request's deadline. */
  readonly client: AbortSignal;
  /** Aborted by either of those or by the download's own time limit. */
  readonly signal: AbortSignal;
};

/**
 * The one text for a refused address, a closed port, a dead name and a server that talks nonsense: told apart, they
 * would map the network behind the gateway for whoever asks.
 */
const UNREACHABLE = 'no image can be fetched from this URL; it has to be a public http or https address';

export const sourceTimeout = () => new GatewayError('source_timeout', 'the source did not answer in time');

/** The public error, with the URLs asked (no query, no userinfo), the true reason and the guard's rule as its cause. */
export function publicFailure(thrown: unknown, attempt: Attempt): GatewayError {
  const { kind, message, sourceStatus } = verdict(thrown, attempt);
  // A fresh Error: Node's own carry raw packets, certificates and whole URLs as properties, which loggers print.
  const asked = attempt.hops.map(redactUrl).join(' -> ') || 'nothing asked';
  const cause = new Error(`${asked}: ${reasonOf(thrown)}`);
  if (thrown instanceof Refusal) Object.assign(cause, { rule: thrown.rule });
  return new GatewayError(kind, `${attempt.field}: ${message}`, {
    cause,
    ...(sourceStatus !== undefined && { sourceStatus }),
  });
}

function verdict(thrown: unknown, { client, signal }: Attempt): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  if (client.aborted && client.reason?.name !== 'TimeoutError') {
    return new GatewayError('client_gone', 'the client closed the connection');
  }
  if (signal.aborted) return sourceTimeout();
  return new GatewayError(thrown instanceof Refusal ? 'source_forbidden' : 'source_failed', UNREACHABLE);
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof AggregateError) return thrown.errors.map(reasonOf).join('; ');
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause === undefined ? thrown.message : `${thrown.message} (${reasonOf(thrown.cause)})`;
}
