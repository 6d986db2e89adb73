/** Decides about a new version: promote it, wait for more measurements, or abort. */
import { type Bounds, type Evidence, type Finding, findingsOf } from './findings.ts';
import { CONFIDENCE } from './measured.ts';
import { sentenceOf, tooFewText } from './words.ts';

export type Decision = {
  readonly decision: 'promote' | 'wait' | 'abort';
  /** A sentence with the statistics that decided. */
  readonly reason: string;
  readonly findings: readonly Finding[];
};

/**
 * Decides by the intervals: one bound that is left aborts, and all have to be kept to promote. Where decisions are made again and again
 * while requests come, some interval of 95 % misses the true value sooner or later: take a higher confidence there.
 */
export function decide(evidence: Evidence, bounds: Bounds, confidence = CONFIDENCE): Decision {
  const { candidate } = evidence;
  const findings = findingsOf(evidence, bounds, confidence);
  const of = (...states: readonly Finding['state'][]) => findings.filter(({ state }) => states.includes(state));
  const say = (decision: Decision['decision'], shown: readonly Finding[]): Decision => ({
    decision,
    reason: sentenceOf(evidence, shown, confidence),
    findings,
  });
  if (candidate.requests < bounds.minRequests)
    return { decision: 'wait', reason: tooFewText(candidate, bounds.minRequests), findings };
  if (of('beyond').length > 0) return say('abort', of('beyond'));
  if (of('open').length > 0 || findings.length === 0) return say('wait', of('open'));
  return say('promote', of('within'));
}
