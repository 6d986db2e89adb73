/** What the client's calls throw. */
import type { Failure } from './schema.ts';

/** The document of a failed request (RFC 9457). `detail` names the field and the fix. */
export type Problem = Failure & { readonly request_id: string; readonly trace_id: string };

/** The gateway's kinds, and those without a document: no connection, no time left, and an answer that is not the gateway's. */
export type FailureKind = Failure['kind'] | 'unreachable' | 'timeout' | 'unexpected_answer';

/** What is known of a failure. */
export type FailureFacts = {
  readonly kind: FailureKind;
  readonly message: string;
  readonly status?: number | undefined;
  readonly problem?: Problem | undefined;
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
};

/** A call that failed. `message` is the problem's `detail`, where the gateway sent a problem. */
export class TensorgateError extends Error {
  override readonly name = 'TensorgateError';
  readonly kind: FailureKind;
  /** The status of the answer; undefined where none came. */
  readonly status: number | undefined;
  readonly problem: Problem | undefined;
  /** The id by which the gateway's log names the request. */
  readonly requestId: string | undefined;
  /** When the gateway asks to try again. */
  readonly retryAfterMs: number | undefined;

  constructor({ kind, message, status, problem, requestId, retryAfterMs, cause }: FailureFacts) {
    super(message, { cause });
    this.kind = kind;
    this.status = status;
    this.problem = problem;
    this.requestId = requestId;
    this.retryAfterMs = retryAfterMs;
  }
}
