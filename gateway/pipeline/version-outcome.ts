/** How requests end at the versions that were selected for them. */
import type { RequestContext } from '../domain/request.ts';
import { asGatewayError, type Kind } from '../errors.ts';
import type { Routed } from '../model/route.ts';

export type VersionOutcome = {
  readonly routed: Routed;
  /** `error`: a fault of the version or of its servers. */
  readonly outcome: 'ok' | 'error';
  /** The time of the stage `predict`. Undefined where no call was made, or another version was asked before. */
  readonly predictMs: number | undefined;
};

/** Told of every request that a version has answered or failed. Must not throw, and returns soon. */
export type OnOutcome = (outcome: VersionOutcome, context: RequestContext) => void;

/** Faults of a version or of its servers. All other kinds are the client's, or overload. */
export const FAULTS: ReadonlySet<Kind> = new Set(['model_failed', 'model_timeout', 'model_unavailable']);

/** Whether an error counts against the version. */
export function isFault(thrown: unknown): boolean {
  return FAULTS.has(asGatewayError(thrown).kind);
}
