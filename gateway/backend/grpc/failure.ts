/** Maps a gRPC status to the error that the client sees. */
import { status } from '@grpc/grpc-js';
import { GatewayError, type Kind } from '../../errors.ts';

type PublicError = readonly [kind: Kind, publicDetail: string];

const BY_STATUS: Readonly<Partial<Record<status, PublicError>>> = {
  [status.UNAVAILABLE]: ['model_unavailable', 'The model server is not reachable; try again.'],
  [status.RESOURCE_EXHAUSTED]: ['overloaded', 'The model server is at capacity; try again.'],
  // The gateway validates what the client sends, so an invalid argument is the gateway's mistake.
  [status.INVALID_ARGUMENT]: [
    'internal',
    'The gateway sent the model server an invalid request; the log has the reason.',
  ],
  [status.NOT_FOUND]: ['model_not_found', 'model: the model server has no such model, version or label.'],
  [status.UNIMPLEMENTED]: [
    'model_failed',
    'The model server does not speak this protocol; check BACKEND_PROTOCOL, or backend.protocol in model.yaml.',
  ],
  [status.FAILED_PRECONDITION]: ['model_failed', 'The model cannot serve this request; check its signature.'],
};
/** What a server answers to a call for a version that it has unloaded or replaced, or after it has ended. */
const OUTDATED: ReadonlySet<status> = new Set([
  status.UNAVAILABLE,
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.FAILED_PRECONDITION,
]);

const TIMEOUT: PublicError = ['model_timeout', 'The model server did not answer before the deadline of the request.'];
const OTHER: PublicError = ['model_failed', 'The model server failed on the request.'];
/** The answer is larger than its limit, or than the memory for all answers, which grows with MAX_OUTPUT_BYTES too. */
export const TOO_LARGE: PublicError = [
  'model_failed',
  'The answer of the model server is too large; raise MAX_OUTPUT_BYTES if the model has large outputs.',
];
const CLIENT_GONE: PublicError = ['client_gone', 'The client closed the connection.'];

/** A gRPC status: the code and the text that came with it. */
export type Status = { readonly code: status; readonly details: string };

/**
 * Makes the error for a failed RPC. `signal` is the RPC's: aborted, its reason tells a timeout from a closed
 * connection. `cause` keeps gRPC's text for the log.
 */
export function toGatewayError(failed: Status, signal: AbortSignal, cause: unknown): GatewayError {
  const [kind, publicDetail] = publicError(failed, signal);
  return new GatewayError(kind, publicDetail, { cause, isOutdated: OUTDATED.has(failed.code) });
}

/**
 * The error of a failed RPC whose input is encoded pictures. A decoder in the model's graph fails with INVALID_ARGUMENT; which
 * picture it was is not told. `otherTensors`: how the server says that the tensors are not those of the version.
 */
export function asUndecodable(thrown: unknown, otherTensors: RegExp): unknown {
  const failed = statusOf(thrown);
  if (failed?.code !== status.INVALID_ARGUMENT || otherTensors.test(failed.details)) return thrown;
  const detail = 'The model cannot decode the image; send it in another format.';
  return new GatewayError('image_unreadable', detail, { cause: (thrown as GatewayError).cause });
}

/**
 * The error of a failed RPC with a client's tensors. Its text is the model server's, which says what is wrong with them: the
 * shape or a value that the graph does not take. Other tensors than the signature's are the gateway's mistake.
 */
export function asInvalidTensor(thrown: unknown, otherTensors: RegExp): unknown {
  const refused = asRefusedRequest(thrown, otherTensors);
  return refused instanceof GatewayError && refused.isOutdated ? thrown : refused;
}

/**
 * The error of a failed RPC with a client's own request, which the gateway did not validate. Its text is the model server's.
 * With other tensors than the signature's it is outdated: the model may have been replaced.
 */
export function asRefusedRequest(thrown: unknown, otherTensors: RegExp): unknown {
  const failed = statusOf(thrown);
  if (failed?.code !== status.INVALID_ARGUMENT) return thrown;
  const { details } = failed;
  const { cause } = thrown as GatewayError;
  const isOutdated = otherTensors.test(details);
  return new GatewayError('invalid_tensor', details || 'The model does not take these tensors.', { cause, isOutdated });
}

function publicError(failed: Status, signal: AbortSignal): PublicError {
  const { code } = failed;
  if (code === status.CANCELLED && signal.aborted) {
    const timedOut = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
    return timedOut ? TIMEOUT : CLIENT_GONE;
  }
  if (code === status.DEADLINE_EXCEEDED) return TIMEOUT;
  return isTooLarge(failed) ? TOO_LARGE : (BY_STATUS[code] ?? OTHER);
}

/** Whether the server does not have the method that was called. */
export function isUnimplemented(thrown: unknown): boolean {
  return statusOf(thrown)?.code === status.UNIMPLEMENTED;
}

/** The status of a failed RPC. Undefined for other errors. */
export function statusOf(thrown: unknown): Status | undefined {
  if (!(thrown instanceof GatewayError)) return undefined;
  const { code, details = '' } = (thrown.cause ?? {}) as Partial<Status>;
  return code === undefined ? undefined : { code, details };
}

/** The error of a failed RPC with more instances than the server takes at once. `limit` captures their number in its text. */
export function asTooManyInstances(thrown: unknown, limit: RegExp): unknown {
  const failed = statusOf(thrown);
  const [, most] = (failed?.code === status.INVALID_ARGUMENT && limit.exec(failed.details)) || [];
  if (most === undefined) return thrown;
  const detail = `instances: the model server takes at most ${most} in one request; send fewer.`;
  return new GatewayError('body_too_large', detail, { cause: thrown });
}

/** gRPC has one code for "busy" and for "over the message size"; only the first is worth a retry. */
export function isTooLarge({ code, details }: Status): boolean {
  return code === status.RESOURCE_EXHAUSTED && /larger than/i.test(details);
}

/** A status as an Error in grpc-js' form: its text as the message, `code` and `details` as properties. */
export function statusError(code: status, details: string, cause?: unknown): Error & Status {
  return Object.assign(new Error(`${code} ${status[code]}: ${details}`, { cause }), { code, details });
}
