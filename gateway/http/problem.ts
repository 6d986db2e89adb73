/** Renders a failure as application/problem+json (RFC 9457). */
import { type GatewayError, KINDS } from '../errors.ts';
import type { Answer } from './answer.ts';

/** The members of a problem that stand by themselves, also inside a batch: kind, status and detail. */
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

/** The whole answer for a failed request; 429 and 503 say when to come back. */
export function problem(error: GatewayError, requestId: string): Answer {
  return {
    status: error.status,
    headers: {
      'Content-Type': 'application/problem+json',
      ...(error.retryAfterS !== undefined && { 'Retry-After': String(error.retryAfterS) }),
    },
    body: JSON.stringify({ ...problemMembers(error), request_id: requestId }),
  };
}
