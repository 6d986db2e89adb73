/** The gradients of a record: from each record of the background to it. The mean over them is expected gradients. */
import type { Attributed } from '../../domain/explanation.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import type { Budget, RecordSubject } from '../method.ts';
import type { ExplainOptions } from '../options.ts';
import { callsOf, integrate, STEPS } from './integral.ts';
import { explainedInputs } from './signature.ts';

/** Erion et al., Improving performance of deep learning models with axiomatic attribution priors and expected gradients, 2021. */
export async function ofRecord(subject: RecordSubject, options: ExplainOptions, budget: Budget): Promise<Attributed> {
  const { names, own, background } = subject;
  const each = callsOf(1, options.steps ?? STEPS);
  const count = Math.max(1, Math.min(background.size, Math.floor(budget.calls / each)));
  const inputs = new Map<string, Tensor>();
  const baselines = new Map<string, Tensor>();
  for (const { name } of explainedInputs(subject.signatures) ?? []) {
    const [row, rows] = [own.get(name), background.inputs.get(name)];
    if (row === undefined || rows === undefined) {
      throw new GatewayError('explanation_unavailable', `explain: gradients need the input ${name} with a row`);
    }
    inputs.set(name, repeated(row, count));
    baselines.set(name, firstRows(rows, count));
  }
  const { attributions, ...scores } = await integrate(subject, { count, inputs, baselines }, options, budget);
  const values = Float64Array.from([...own.keys()].flatMap((name) => [...(attributions.get(name) ?? [])]));
  if (values.length !== names.length) {
    const detail = `explain: gradients have ${values.length} numbers, the record has ${names.length} features`;
    throw new GatewayError('explanation_unavailable', detail);
  }
  return { attributions: { kind: 'features', names, values }, baseline: background.about, ...scores };
}

/** Rows of numbers have equal sizes. */
function bytesOfRow({ bytes, shape }: Tensor): number {
  return bytes.length / (shape[0] ?? 1);
}

function repeated(row: Tensor, count: number): Tensor {
  const size = bytesOfRow(row);
  const bytes = new Uint8Array(count * size);
  for (let at = 0; at < count; at += 1) bytes.set(row.bytes, at * size);
  return { dtype: row.dtype, shape: [count, ...row.shape.slice(1)], bytes } as Tensor;
}

function firstRows(rows: Tensor, count: number): Tensor {
  const bytes = rows.bytes.subarray(0, count * bytesOfRow(rows));
  return { dtype: rows.dtype, shape: [count, ...rows.shape.slice(1)], bytes } as Tensor;
}
