/** What `tensorgate models verdict` and `tensorgate replay` say of a version, for programs. */
import { type Decision, decide } from '../../domain/evidence/decide.ts';
import type { Bounds, Evidence, Side } from '../../domain/evidence/findings.ts';
import type { Interval } from '../../domain/evidence/measured.ts';
import { type Share, wilsonInterval } from '../../domain/evidence/share.ts';

/** A share with its interval of 95 %. Null of nothing. */
export type ShareReport = { readonly value: number; readonly interval: Interval } | null;

export type SideReport = {
  readonly version: number;
  readonly requests: number;
  readonly errors: number;
  readonly errorRate: ShareReport;
  /** Milliseconds of the predictions. Null without any. */
  readonly latencyMs: { readonly mean: number; readonly p50: number; readonly p99: number } | null;
};

export type VerdictReport = Decision & {
  readonly model: string;
  readonly candidate: SideReport;
  readonly reference: SideReport;
  readonly agreement: {
    readonly compared: number;
    readonly same: number;
    readonly share: ShareReport;
    /** The mean sum of the differences of all probabilities, from 0 to 2. Null where none were compared. */
    readonly meanDistance: number | null;
  };
  readonly bounds: Bounds;
};

/** `meanDistance`: of the probabilities of both versions. */
export type Compared = Evidence & { readonly model: string; readonly meanDistance: number | null };

export function reportOf({ model, meanDistance, ...evidence }: Compared, bounds: Bounds): VerdictReport {
  const { candidate, reference, agreement } = evidence;
  return {
    model,
    ...decide(evidence, bounds),
    candidate: sideReport(candidate),
    reference: sideReport(reference),
    agreement: {
      compared: agreement.total,
      same: agreement.count,
      share: shareReport(agreement),
      meanDistance,
    },
    bounds,
  };
}

function sideReport({ version, requests, errors, latency }: Side): SideReport {
  const ms = (seconds: number) => 1000 * seconds;
  const { count, mean, quantile } = latency;
  return {
    version,
    requests,
    errors,
    errorRate: shareReport({ count: errors, total: requests }),
    latencyMs: count === 0 ? null : { mean: ms(mean), p50: ms(quantile(0.5)), p99: ms(quantile(0.99)) },
  };
}

function shareReport(share: Share): ShareReport {
  if (share.total === 0) return null;
  return { value: share.count / share.total, interval: wilsonInterval(share) };
}

/** Of `models verdict` and `replay`. 2 is that of wrong usage. */
const EXIT_CODES = { promote: 0, abort: 1, wait: 3 } as const;

export const exitCodeOf = ({ decision }: Decision): number => EXIT_CODES[decision];
