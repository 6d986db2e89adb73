/** One call of the signature `explain`: the attributions along a part of a line. */
import { ELEMENTS, isNumeric, numbersOf } from '../../domain/elements.ts';
import { inTurns, type Steps, VALUES_OF_STEP } from '../../domain/steps.ts';
import { stringTensor } from '../../domain/strings.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import type { Subject } from '../method.ts';
import { callsOf, type Part } from './parts.ts';
import { EXPLAIN_SIGNATURE, TENSORS } from './signature.ts';

/** From a baseline to an input: tensors of floats with one row, by the names of the model's inputs. */
export type Line = {
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly baselines: ReadonlyMap<string, Tensor>;
};

/** `numbers`: of an output, by its name. @throws GatewayError model_failed for an output that the answer lacks. */
export type PartAnswer = { readonly numbers: (output: string) => ArrayLike<number> };

export async function askPart(subject: Subject, line: Line, part: Part): Promise<PartAnswer> {
  const { start, end, steps, rule } = part;
  const sent = new Map<string, Tensor>();
  for (const [name, input] of line.inputs) {
    const baseline = line.baselines.get(name);
    if (baseline === undefined) throw new TypeError(`no baseline of ${name}`);
    sent.set(TENSORS.baseline(name), await pointOf(baseline, input, start));
    sent.set(name, await pointOf(baseline, input, end));
  }
  sent.set(TENSORS.target, integer(subject.target.element));
  sent.set(TENSORS.steps, integer(steps));
  sent.set(TENSORS.quadrature, stringTensor([1], [Buffer.from(rule)]));
  const answer = await subject.ask(EXPLAIN_SIGNATURE, sent, callsOf([part]));
  return {
    numbers(output) {
      const tensor = answer.get(output);
      if (tensor !== undefined) return numbersOf(tensor);
      const detail = `the answer of signature ${EXPLAIN_SIGNATURE} has no output ${output}`;
      throw new GatewayError('model_failed', detail);
    },
  };
}

function integer(value: number): Tensor {
  return { dtype: 'DT_INT64', shape: [1], bytes: new Uint8Array(BigInt64Array.of(BigInt(value)).buffer) };
}

/** The point at a place of the line, where 0 is the baseline and 1 the input. */
async function pointOf(baseline: Tensor, input: Tensor, place: number): Promise<Tensor> {
  if (place === 0) return baseline;
  if (place === 1) return input;
  const { dtype, shape } = input;
  if (!isNumeric(dtype) || dtype === 'DT_INT64' || dtype === 'DT_UINT64') throw new TypeError(`${dtype} has no points`);
  const [from, to] = [numbersOf(baseline), numbersOf(input)];
  const values = new ELEMENTS[dtype](to.length);
  await inTurns(move(from, to, place, values));
  return { dtype, shape, bytes: new Uint8Array(values.buffer) };
}

function* move(
  from: ArrayLike<number>,
  to: ArrayLike<number>,
  place: number,
  into: { [at: number]: number },
): Steps<void> {
  for (let at = 0; at < to.length; at += 1) {
    const start = from[at] as number;
    into[at] = start + place * ((to[at] as number) - start);
    if (at % VALUES_OF_STEP === VALUES_OF_STEP - 1) yield;
  }
}
