/**
 * Integrated gradients by the signature `explain`: Sundararajan, Taly and Yan, Axiomatic Attribution for Deep Networks, 2017. The
 * attributions add up to the difference of the scores, up to the error of the integral, which more steps make smaller.
 */
import { numbersOf } from '../../domain/elements.ts';
import type { Target } from '../../domain/explanation.ts';
import { inTurns, type Steps, VALUES_OF_STEP } from '../../domain/steps.ts';
import { stringTensor } from '../../domain/strings.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import { requireBudget } from '../budget.ts';
import type { Budget, Subject } from '../method.ts';
import type { ExplainOptions } from '../options.ts';
import { EXPLAIN_SIGNATURE, explainedInputs, requireOutput, TENSORS } from './signature.ts';

/** Points on the line, where the request names no number: as many as Captum's. Twice as many while the sum is not complete. */
export const STEPS = 50;
export const MIN_STEPS = 2;
/** The signature takes no more. */
export const MAX_STEPS = 512;
/** The scores of the input and of the baseline. */
const ENDS = 2;
/** Of the difference of the scores. */
const TOLERANCE = 0.01;
/** Of the scores: what float32 rounds. */
const ROUNDING = 1e-6;

/** Tensors by the names of the model's inputs: the same number of rows in each. */
export type Rows = {
  readonly count: number;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly baselines: ReadonlyMap<string, Tensor>;
};

/** The means over all rows. Attributions by the names of the inputs, each of one row. */
export type Integral = {
  readonly attributions: ReadonlyMap<string, Float64Array>;
  readonly score: number;
  readonly baselineScore: number;
  readonly tolerance: number;
};

/**
 * Integrates from the baselines to the inputs, and takes the mean over the rows.
 * @throws GatewayError explanation_unavailable, invalid_request for a budget that is too small, and those of the model server
 */
export async function integrate(
  subject: Subject,
  rows: Rows,
  options: ExplainOptions,
  budget: Budget,
): Promise<Integral> {
  requireOutput(subject.signatures, subject.target);
  const { count } = rows;
  requireBudget(callsOf(count, options.steps ?? MIN_STEPS), budget, options);
  let steps = options.steps ?? Math.min(STEPS, Math.floor(budget.calls / count) - ENDS);
  for (;;) {
    const integral = await ask(subject, rows, steps, options, callsOf(count, steps));
    const more = Math.min(MAX_STEPS, 2 * steps);
    const isLast = options.steps !== undefined || more === steps || !budget.hasRoom(callsOf(count, more));
    if (isLast || isComplete(integral)) return integral;
    steps = more;
  }
}

/** The calls of the model that an integral of so many rows counts as. */
export function callsOf(rows: number, steps: number): number {
  return rows * (steps + ENDS);
}

function isComplete({ attributions, score, baselineScore, tolerance }: Integral): boolean {
  let sum = 0;
  for (const values of attributions.values()) sum = values.reduce((total, value) => total + value, sum);
  return Math.abs(sum - (score - baselineScore)) <= tolerance;
}

async function ask(
  subject: Subject,
  { count, inputs, baselines }: Rows,
  steps: number,
  { rule = 'gauss-legendre' }: ExplainOptions,
  calls: number,
): Promise<Integral> {
  const { element, output } = subject.target;
  const sent = new Map(inputs);
  for (const [name, baseline] of baselines) sent.set(TENSORS.baseline(name), baseline);
  sent.set(TENSORS.target, integers(element, count));
  sent.set(TENSORS.steps, integers(steps, count));
  sent.set(TENSORS.quadrature, stringTensor([count], new Array<Uint8Array>(count).fill(Buffer.from(rule))));
  const answer = await subject.ask(EXPLAIN_SIGNATURE, sent, calls);
  const names = explainedInputs(subject.signatures)?.map(({ name }) => name) ?? [];
  const attributions = new Map<string, Float64Array>();
  for (const name of names) {
    const values = numbersOf(answered(answer, TENSORS.attributions(name)));
    attributions.set(name, await inTurns(meanOfRows(values, count, subject.target.sign)));
  }
  const score = scoreOf(subject.target, answered(answer, TENSORS.score(output)));
  const baselineScore = scoreOf(subject.target, answered(answer, TENSORS.baselineScore(output)));
  const rounding = ROUNDING * (Math.abs(score) + Math.abs(baselineScore));
  return { attributions, score, baselineScore, tolerance: TOLERANCE * Math.abs(score - baselineScore) + rounding };
}

function integers(value: number, count: number): Tensor {
  const elements = new BigInt64Array(count).fill(BigInt(value));
  return { dtype: 'DT_INT64', shape: [count], bytes: new Uint8Array(elements.buffer) };
}

function answered(answer: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const tensor = answer.get(name);
  if (tensor !== undefined) return tensor;
  throw new GatewayError('model_failed', `the answer of signature ${EXPLAIN_SIGNATURE} has no output ${name}`);
}

function* meanOfRows(values: ArrayLike<number>, count: number, sign: number): Steps<Float64Array> {
  const means = new Float64Array(values.length / count);
  for (let index = 0; index < values.length; index += 1) {
    const at = index % means.length;
    means[at] = (means[at] as number) + ((values[index] as number) * sign) / count;
    if (index % VALUES_OF_STEP === VALUES_OF_STEP - 1) yield;
  }
  return means;
}

function scoreOf({ sign, offset }: Target, scores: Tensor): number {
  const values = numbersOf(scores);
  let sum = 0;
  for (let row = 0; row < values.length; row += 1) sum += values[row] as number;
  return offset + (sign * sum) / values.length;
}
