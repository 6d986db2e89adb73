/** Renders a failure as application/problem+json (RFC 9457). */
import type { RequestIds } from '../door/door.ts';
import { type GatewayError, KINDS } from '../errors.ts';
import type { Answer } from './answer.ts';

/** The members of a problem that do not depend on the request. In a batch, each failed image has them. */
export function problemMembers(error: GatewayError) {
  return {
    type: `urn:tensorgate:error:${error.kind}`,
    title: KINDS[error.kind].title,
    status: error.status,
    detail: error.message,
    kind: error.kind,
    ...(error.sourceStatus !== undefined && { source_status: error.sourceStatus }),
  };
}

/** The answer for a failed request, with Retry-After if the error has one. `status` overrides the kind's status. */
export function problem(
  error: GatewayError,
  { requestId, traceId }: RequestIds,
  status = error.status,
): Answer & { readonly body: string } {
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      ...(error.retryAfterS !== undefined && { 'Retry-After': String(error.retryAfterS) }),
    },
    body: JSON.stringify({ ...problemMembers(error), status, request_id: requestId, trace_id: traceId }),
  };
}
