/** The signature `explain` of a version: integrated gradients, computed in the model's own graph. serving/training writes it. */
import { isNumeric } from '../../domain/elements.ts';
import type { Target } from '../../domain/explanation.ts';
import type { Signature, TensorInfo } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';

export const EXPLAIN_SIGNATURE = 'explain';
/** Its tensors: of each input NAME also the baseline, and of the explained output both scores. All have a row for each instance. */
export const TENSORS = {
  target: 'target',
  steps: 'steps',
  quadrature: 'quadrature',
  baseline: (input: string) => `baseline_${input}`,
  attributions: (input: string) => `attributions_${input}`,
  score: (output: string) => `score_${output}`,
  baselineScore: (output: string) => `baseline_score_${output}`,
} as const;
const FLOATS = ['DT_FLOAT', 'DT_DOUBLE', 'DT_HALF'];

/** The model's own inputs in the signature, or undefined if it is none of these. */
export function explainedInputs(signatures: ReadonlyMap<string, Signature>): readonly TensorInfo[] | undefined {
  const signature = signatures.get(EXPLAIN_SIGNATURE);
  if (signature === undefined) return undefined;
  const inputs = new Set(signature.inputs.map(({ name }) => name));
  const outputs = new Set(signature.outputs.map(({ name }) => name));
  const found = signature.inputs.filter(({ name }) => inputs.has(TENSORS.baseline(name)));
  const isComplete = [TENSORS.target, TENSORS.steps, TENSORS.quadrature].every((name) => inputs.has(name));
  const hasAll = found.every(
    ({ name, dtype }) => outputs.has(TENSORS.attributions(name)) && isNumeric(dtype) && FLOATS.includes(dtype),
  );
  return isComplete && hasAll && found.length > 0 ? found : undefined;
}

/** Why a version has no gradients, as what a method says of itself. Undefined where it has them. */
export function withoutGradients(signatures: ReadonlyMap<string, Signature>): string | undefined {
  if (explainedInputs(signatures) !== undefined) return undefined;
  const found = signatures.has(EXPLAIN_SIGNATURE) ? 'which has other tensors here' : 'which is missing';
  return `needs the signature ${EXPLAIN_SIGNATURE} of make train or make convert, ${found}`;
}

/** Throws `explanation_unavailable` if the signature explains another output than the target's. */
export function requireOutput(signatures: ReadonlyMap<string, Signature>, { name, output }: Target): void {
  const outputs = signatures.get(EXPLAIN_SIGNATURE)?.outputs.map((info) => info.name) ?? [];
  if ([TENSORS.score(output), TENSORS.baselineScore(output)].every((own) => outputs.includes(own))) return;
  const detail = `explain.target: ${name}: the signature ${EXPLAIN_SIGNATURE} explains another output than ${output}`;
  throw new GatewayError('explanation_unavailable', detail);
}
