/** What a gRPC status means for the client of the gateway. */
import { status } from '@grpc/grpc-js';
import { GatewayError, type Kind } from '../../errors.ts';

type Meaning = readonly [kind: Kind, publicDetail: string];

const MEANINGS: Readonly<Partial<Record<status, Meaning>>> = {
  [status.UNAVAILABLE]: ['model_unavailable', 'The model server cannot be reached at the moment; try again.'],
  [status.RESOURCE_EXHAUSTED]: ['overloaded', 'The model server has no room for the request now; try again.'],
  // The gateway has checked what the client sent, so the mistake is its own.
  [status.INVALID_ARGUMENT]: ['internal', 'The gateway asked the model server wrongly; the log has the reason.'],
  [status.NOT_FOUND]: ['model_not_found', 'model: the model server has no such model, version or label.'],
  [status.FAILED_PRECONDITION]: ['model_failed', 'The model cannot be asked in this way; check its signature.'],
  [status.DEADLINE_EXCEEDED]: ['model_timeout', 'The model server did not answer within the time of the request.'],
};
const ANY_OTHER: Meaning = ['model_failed', 'The model server failed on the request.'];
const TOO_LARGE: Meaning = ['model_failed', 'The answer of the model server is too large.'];
const CLIENT_GONE: Meaning = ['client_gone', 'The client closed the connection.'];

/** How an RPC ended: its status, gRPC's own text, and the signal that may have ended it. */
export type Ending = { readonly code: status; readonly details: string; readonly signal: AbortSignal };

/** Turns a failed RPC into the error that the client sees; `cause` keeps what gRPC said, for the log. */
export function failure(ending: Ending, cause: unknown): GatewayError {
  const [kind, publicDetail] = meaning(ending);
  return new GatewayError(kind, publicDetail, { cause });
}

function meaning({ code, details, signal }: Ending): Meaning {
  if (code === status.CANCELLED && signal.aborted) {
    const timedOut = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
    return timedOut ? (MEANINGS[status.DEADLINE_EXCEEDED] ?? ANY_OTHER) : CLIENT_GONE;
  }
  // gRPC has one code for "busy" and for "over the message size", and only the first is worth another try.
  if (code === status.RESOURCE_EXHAUSTED && /larger than/i.test(details)) return TOO_LARGE;
  return MEANINGS[code] ?? ANY_OTHER;
}

/** A status as an Error as grpc-js writes it, with its two properties. */
export function asError(code: status, details: string, cause?: unknown): Error & Pick<Ending, 'code' | 'details'> {
  return Object.assign(new Error(`${code} ${status[code]}: ${details}`, { cause }), { code, details });
}
