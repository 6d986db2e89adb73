/** The gradients of a record: from each record of the background to it. The mean over them is expected gradients. */
import type { Attributed } from '../../domain/explanation.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import type { Budget, RecordSubject } from '../method.ts';
import type { ExplainOptions } from '../options.ts';
import type { Line } from './ask.ts';
import { callsOfLine, integrate } from './integral.ts';
import { explainedInputs } from './signature.ts';

/** Erion et al., Improving performance of deep learning models with axiomatic attribution priors and expected gradients, 2021. */
export async function ofRecord(subject: RecordSubject, options: ExplainOptions, budget: Budget): Promise<Attributed> {
  const { names, own, background } = subject;
  const count = Math.floor(budget.calls / callsOfLine(subject.kind, options));
  const lines = Array.from({ length: Math.max(1, Math.min(background.size, count)) }, (_, row) => lineOf(subject, row));
  const { attributions, ...scores } = await integrate(subject, lines, options, budget);
  const values = Float64Array.from([...own.keys()].flatMap((name) => [...(attributions.get(name) ?? [])]));
  if (values.length !== names.length) {
    const detail = `explain: gradients have ${values.length} numbers, the record has ${names.length} features`;
    throw new GatewayError('explanation_unavailable', detail);
  }
  return { attributions: { kind: 'features', names, values }, baseline: background.about, ...scores };
}

/** From one record of the background. */
function lineOf({ own, background, signatures }: RecordSubject, row: number): Line {
  const inputs = new Map<string, Tensor>();
  const baselines = new Map<string, Tensor>();
  for (const { name } of explainedInputs(signatures) ?? []) {
    const [input, rows] = [own.get(name), background.inputs.get(name)];
    if (input === undefined || rows === undefined) {
      throw new GatewayError('explanation_unavailable', `explain: gradients need the input ${name} with a row`);
    }
    inputs.set(name, input);
    const size = input.bytes.length;
    baselines.set(name, { ...input, bytes: rows.bytes.subarray(row * size, (row + 1) * size) });
  }
  return { inputs, baselines };
}
