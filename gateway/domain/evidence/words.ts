/** Findings in words. */
import type { Evidence, Finding, Side, Subject } from './findings.ts';
import type { Measured } from './measured.ts';

const NOTHING: Readonly<Record<Subject, string>> = {
  errors: 'there are no requests of both versions to compare the error rates',
  latency: 'there are not two times of each version to compare the latency',
  agreement: 'no predictions of both versions of the same input were compared',
};

const STATES = {
  within: 'within the bound of',
  beyond: 'beyond the bound of',
  open: 'too close to the bound of',
} as const;

/** A sentence with the statistics of the findings. */
export function sentenceOf(evidence: Evidence, findings: readonly Finding[], confidence: number): string {
  const { candidate } = evidence;
  const parts = findings.map((finding) => textOf(evidence, finding, confidence));
  return `version ${candidate.version} had ${candidate.requests} requests; ${parts.join('; ') || 'no bounds are set'}`;
}

/** Why nothing is judged yet. */
export function tooFewText({ version, requests }: Side, minimum: number): string {
  return `version ${version} had ${requests} requests, and needs ${minimum}`;
}

function textOf(evidence: Evidence, { subject, state, bound, measured }: Finding, confidence: number): string {
  if (!measured) return NOTHING[subject];
  const { statement, show } = SUBJECTS[subject](evidence, measured);
  const interval = measured.interval.map(show).join(' to ');
  const test = `z = ${measured.z.toFixed(1)}, ${pText(measured.p)}`;
  const precision = `${Number((100 * confidence).toFixed(2))} % interval ${interval}; ${test}`;
  return `${statement}, ${STATES[state]} ${show(bound)} (${precision})`;
}

type Shown = { readonly statement: string; readonly show: (value: number) => string };

const SUBJECTS: Readonly<Record<Subject, (evidence: Evidence, measured: Measured) => Shown>> = {
  errors: ({ reference }, { value }) => ({
    statement: `its error rate is ${pointsText(Math.abs(value))} percentage points ${value < 0 ? 'below' : 'above'} that of version ${reference.version}`,
    show: pointsText,
  }),
  latency: ({ reference }, { value }) => ({
    statement: `its mean latency is ${value.toFixed(2)} times that of version ${reference.version}`,
    show: (ratio) => ratio.toFixed(2),
  }),
  agreement: ({ reference, agreement }, { value }) => ({
    statement: `${percentText(value)} of ${agreement.total} best classes are those of version ${reference.version}`,
    show: (share) => percentText(share),
  }),
};

/** A difference of shares in percentage points: 0.1. */
export function pointsText(difference: number): string {
  return (100 * difference).toFixed(1);
}

/** A share: 97.4 %. */
export function percentText(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`;
}

function pText(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
}
