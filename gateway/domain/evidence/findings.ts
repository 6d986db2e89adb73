/** What was measured of a new version, the bounds that it has to keep, and which of them it keeps. */
import { measureDifference } from './difference.ts';
import type { Latency } from './latency.ts';
import type { Measured } from './measured.ts';
import { measureRatio } from './ratio.ts';
import { measureShare, type Share } from './share.ts';

/** What was measured of a version. */
export type Side = {
  readonly version: number;
  readonly requests: number;
  /** Requests that failed through the version or its server. */
  readonly errors: number;
  readonly latency: Latency;
};

export type Evidence = {
  readonly candidate: Side;
  /** The version that the candidate is to replace. */
  readonly reference: Side;
  /** Of the predictions that both made of the same input, those with the same best class. */
  readonly agreement: Share;
};

/** The bounds of a candidate. One that is not set is not judged. */
export type Bounds = {
  /** Of the candidate, before anything is judged. */
  readonly minRequests: number;
  /** As a share: 0.01 is one percentage point. */
  readonly maxErrorRateIncrease?: number | undefined;
  readonly maxLatencyRatio?: number | undefined;
  /** As a share. */
  readonly minTop1Agreement?: number | undefined;
};

/** The bounds of docs/canary.md, for a model whose model.yaml sets none. */
export const DEFAULT_BOUNDS = {
  minRequests: 200,
  maxErrorRateIncrease: 0.01,
  maxLatencyRatio: 1.5,
  minTop1Agreement: 0.95,
} as const satisfies Bounds;

export type Subject = 'errors' | 'latency' | 'agreement';

/**
 * A bound, and whether it is kept. within: the whole interval is on the right side. beyond: the whole interval is on the wrong side.
 * open: the interval includes the bound, or nothing was measured.
 */
export type Finding = {
  readonly subject: Subject;
  readonly bound: number;
  readonly state: 'within' | 'beyond' | 'open';
  /** Undefined where nothing was measured. */
  readonly measured: Measured | undefined;
};

/** A finding for each bound that is set. */
export function findingsOf(
  { candidate, reference, agreement }: Evidence,
  bounds: Bounds,
  confidence: number,
): Finding[] {
  const { maxErrorRateIncrease, maxLatencyRatio, minTop1Agreement } = bounds;
  const findings: Finding[] = [];
  if (maxErrorRateIncrease !== undefined) {
    const errors = measureDifference(errorsOf(candidate), errorsOf(reference), maxErrorRateIncrease, confidence);
    findings.push({ subject: 'errors', bound: maxErrorRateIncrease, ...atMost(errors, maxErrorRateIncrease) });
  }
  if (maxLatencyRatio !== undefined) {
    const ratio = measureRatio(candidate.latency, reference.latency, maxLatencyRatio, confidence);
    findings.push({ subject: 'latency', bound: maxLatencyRatio, ...atMost(ratio, maxLatencyRatio) });
  }
  if (minTop1Agreement !== undefined) {
    const share = measureShare(agreement, minTop1Agreement, confidence);
    findings.push({ subject: 'agreement', bound: minTop1Agreement, ...atLeast(share, minTop1Agreement) });
  }
  return findings;
}

const errorsOf = ({ errors, requests }: Side): Share => ({ count: errors, total: requests });

type Judged = Pick<Finding, 'state' | 'measured'>;

function atMost(measured: Measured | undefined, bound: number): Judged {
  if (!measured) return { state: 'open', measured };
  const [low, high] = measured.interval;
  return { state: low > bound ? 'beyond' : high <= bound ? 'within' : 'open', measured };
}

function atLeast(measured: Measured | undefined, bound: number): Judged {
  if (!measured) return { state: 'open', measured };
  const [low, high] = measured.interval;
  return { state: high < bound ? 'beyond' : low >= bound ? 'within' : 'open', measured };
}
