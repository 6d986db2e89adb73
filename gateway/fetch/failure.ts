/** Maps the error that ended a fetch to an error for the client, with a cause for the log. */
import { isOutOfDescriptors } from '../domain/descriptor-error.ts';
import { GatewayError } from '../errors.ts';
import { IncompleteBody } from './body.ts';
import { isBucketUrl } from './bucket/url.ts';
import { Refusal } from './finding.ts';
import { redactUrl } from './source-url.ts';

/** The state of a fetch at the time of its failure. */
export type FailedFetch = {
  /** Where the URL was in the request. */
  readonly field: string;
  /** The URLs requested so far, redirects included. */
  readonly hops: readonly URL[];
  /** Aborted by the client, by the request's deadline, or with the GatewayError that is the result. */
  readonly client: AbortSignal;
  /** Aborted by `client` or by the timeout of the download. */
  readonly signal: AbortSignal;
};

/**
 * The same text for a refused address, a closed port, a name that does not resolve and a connection without an answer:
 * different texts would let a client map the network behind the gateway. A source that does answer is at an allowed
 * address, so the client is told what is wrong with the answer.
 */
const UNREACHABLE = 'no image can be fetched from this URL; it has to be a public http or https address';

/** The same for objects of buckets. */
const UNREADABLE = 'no image can be read from this bucket';

export const sourceTimeout = () => new GatewayError('source_timeout', 'the source did not answer in time');

export const notHttp = (cause?: unknown) =>
  new GatewayError('source_failed', "the source's answer is not valid HTTP", { cause });

/**
 * The error for the client. Its cause has the URLs requested (no query, no userinfo), the reason and the guard's rule.
 */
export function publicFailure(thrown: unknown, failed: FailedFetch): GatewayError {
  const { kind, message, sourceStatus, isUnavailable } = clientError(thrown, failed);
  // A new Error: Node's errors have raw packets, certificates and whole URLs as properties, which loggers print.
  const urls = failed.hops.map(redactUrl).join(' -> ') || 'nothing requested';
  const cause = new Error(`${urls}: ${reasonOf(thrown)}`);
  if (thrown instanceof Refusal) Object.assign(cause, { rule: thrown.rule });
  return new GatewayError(kind, `${failed.field}: ${message}`, {
    cause,
    isUnavailable,
    ...(sourceStatus !== undefined && { sourceStatus }),
  });
}

function clientError(thrown: unknown, { client, signal, hops }: FailedFetch): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  if (client.reason instanceof GatewayError) return client.reason;
  if (client.aborted && client.reason?.name !== 'TimeoutError') {
    return new GatewayError('client_gone', 'the client closed the connection');
  }
  if (signal.aborted) return sourceTimeout();
  if (isOutOfDescriptors(thrown)) {
    const detail = 'the gateway has too many connections to open another one; try again later';
    return new GatewayError('overloaded', detail, { isUnavailable: true });
  }
  if (isParseError(thrown)) return notHttp();
  if (thrown instanceof IncompleteBody) {
    return new GatewayError('source_failed', "the source's answer is cut off or its body is not valid HTTP");
  }
  const detail = hops.some(isBucketUrl) ? UNREADABLE : UNREACHABLE;
  return new GatewayError(thrown instanceof Refusal ? 'source_forbidden' : 'source_failed', detail);
}

/** An error of Node's HTTP parser. */
function isParseError(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && String(thrown.code).startsWith('HPE_');
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof AggregateError) return thrown.errors.map(reasonOf).join('; ');
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause === undefined ? thrown.message : `${thrown.message} (${reasonOf(thrown.cause)})`;
}
