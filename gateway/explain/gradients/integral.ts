/**
 * Integrated gradients by the signature `explain`: Sundararajan, Taly and Yan, Axiomatic Attribution for Deep Networks, 2017. The
 * attributions add up to the difference of the scores, up to the error of the integral, which more steps make smaller.
 */
import type { Target } from '../../domain/explanation.ts';
import { inTurns, type Steps, VALUES_OF_STEP } from '../../domain/steps.ts';
import { requireBudget } from '../budget.ts';
import type { Budget, Subject } from '../method.ts';
import type { ExplainOptions } from '../options.ts';
import { askPart, type Line, type PartAnswer } from './ask.ts';
import { callsOf, type Part, shortParts, wholeLine } from './parts.ts';
import { requireOutput, TENSORS } from './signature.ts';

/** Points on the line, where the request names no number: as many as Captum's. Twice as many while the sum is not complete. */
const STEPS = 50;
const MIN_STEPS = 2;
/** The signature takes no more. */
const MAX_STEPS = 512;
/** Of the difference of the scores. */
const TOLERANCE = 0.01;
/** Of the scores: what float32 rounds. */
const ROUNDING = 1e-6;

/** The means over all lines. Attributions by the names of the inputs, each of one row. */
export type Integral = {
  readonly attributions: ReadonlyMap<string, Float64Array>;
  readonly score: number;
  readonly baselineScore: number;
  readonly tolerance: number;
};

/**
 * Integrates along each line, and takes the mean.
 * @throws GatewayError explanation_unavailable, invalid_request for a budget that is too small, and those of the model server
 */
export async function integrate(
  subject: Subject,
  lines: readonly Line[],
  options: ExplainOptions,
  budget: Budget,
): Promise<Integral> {
  requireOutput(subject.signatures, subject.target);
  const ofSteps = (steps: number) => lines.length * callsOfLine(subject.kind, options, steps);
  requireBudget(ofSteps(options.steps ?? MIN_STEPS), budget, options);
  let steps = options.steps ?? STEPS;
  while (steps > MIN_STEPS && ofSteps(steps) > budget.calls) steps -= 1;
  let integral = await overLines(subject, lines, partsOf(subject.kind, options, steps));
  while (options.steps === undefined && steps < MAX_STEPS && !isComplete(integral)) {
    steps = Math.min(MAX_STEPS, 2 * steps);
    if (!budget.hasRoom(ofSteps(steps))) break;
    const finer = await overLines(subject, lines, partsOf(subject.kind, options, steps), budget);
    if (finer === undefined) break;
    integral = finer;
  }
  return integral;
}

/** The calls of the model that one line counts as. */
export function callsOfLine(kind: Subject['kind'], options: ExplainOptions, steps = options.steps ?? STEPS): number {
  return callsOf(partsOf(kind, options, steps));
}

/** A record's whole line takes no longer than a few predictions of pictures. */
function partsOf(kind: Subject['kind'], { rule = 'gauss-legendre' }: ExplainOptions, steps: number): readonly Part[] {
  return kind === 'picture' ? shortParts(rule, steps) : wholeLine(rule, steps);
}

function isComplete({ attributions, score, baselineScore, tolerance }: Integral): boolean {
  let sum = 0;
  for (const values of attributions.values()) sum = values.reduce((total, value) => total + value, sum);
  return Math.abs(sum - (score - baselineScore)) <= tolerance;
}

function overLines(subject: Subject, lines: readonly Line[], parts: readonly Part[]): Promise<Integral>;
/** Undefined where the time of the budget is over before the end. */
function overLines(
  subject: Subject,
  lines: readonly Line[],
  parts: readonly Part[],
  budget: Budget,
): Promise<Integral | undefined>;
async function overLines(
  subject: Subject,
  lines: readonly Line[],
  parts: readonly Part[],
  budget?: Budget,
): Promise<Integral | undefined> {
  const { output, sign } = subject.target;
  const attributions = new Map<string, Float64Array>();
  let [score, baselineScore] = [0, 0];
  for (const line of lines) {
    for (const [index, part] of parts.entries()) {
      if (budget?.hasRoom(callsOf([part])) === false) return undefined;
      const answer = await askPart(subject, line, part);
      await addAttributions(attributions, answer, [...line.inputs.keys()], (sign * part.factor) / lines.length);
      if (index > 0) continue;
      score += scoreOf(subject.target, answer.numbers(TENSORS.score(output))) / lines.length;
      baselineScore += scoreOf(subject.target, answer.numbers(TENSORS.baselineScore(output))) / lines.length;
    }
  }
  const rounding = ROUNDING * (Math.abs(score) + Math.abs(baselineScore));
  return { attributions, score, baselineScore, tolerance: TOLERANCE * Math.abs(score - baselineScore) + rounding };
}

async function addAttributions(
  sums: Map<string, Float64Array>,
  answer: PartAnswer,
  names: readonly string[],
  factor: number,
): Promise<void> {
  for (const name of names) {
    const values = answer.numbers(TENSORS.attributions(name));
    const sum = sums.get(name) ?? new Float64Array(values.length);
    sums.set(name, sum);
    await inTurns(addTo(sum, values, factor));
  }
}

function* addTo(sum: Float64Array, values: ArrayLike<number>, factor: number): Steps<void> {
  for (let at = 0; at < sum.length; at += 1) {
    sum[at] = (sum[at] as number) + factor * (values[at] as number);
    if (at % VALUES_OF_STEP === VALUES_OF_STEP - 1) yield;
  }
}

function scoreOf({ sign, offset }: Target, scores: ArrayLike<number>): number {
  return offset + sign * (scores[0] as number);
}
