/** The number of an answer that is explained. */
import { isNumeric, numbersOf } from '../../domain/elements.ts';
import type { Target } from '../../domain/explanation.ts';
import type { ScoreKind } from '../../domain/scores.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import type { ExplainOptions } from '../../explain/options.ts';
import { nameRow } from '../../scores/scores.ts';

/** The outputs of one row, by their names. */
export type RowTensors = ReadonlyMap<string, Tensor>;

/** The output that has the scores of classes. */
export type ClassOutput = { readonly output: string; readonly classes: readonly string[]; readonly gives: ScoreKind };

/** `y` or `y[3]`. */
const ELEMENT = /^(.+?)(?:\[(\d{1,9})\])?$/s;

/**
 * The target that the request names: a class, or an output. Without one the best class; without classes the largest number of `usual`, the
 * output that counts most.
 * @throws GatewayError invalid_request for a name that the answer lacks.
 */
export function targetOf(
  row: RowTensors,
  { scores, usual }: { readonly scores: ClassOutput | undefined; readonly usual: string | undefined },
  options: Pick<ExplainOptions, 'target' | 'place'>,
): Target {
  const { target } = options;
  const ofClass = scores && classTarget(row.get(scores.output), scores, target);
  if (ofClass) return ofClass;
  const [, name = '', element] = ELEMENT.exec(target ?? usual ?? '') ?? [];
  const tensor = row.get(name);
  const numbers = tensor && isNumeric(tensor.dtype) ? numbersOf(tensor) : undefined;
  const index = element === undefined ? largest(numbers) : Number(element);
  if (numbers && index < numbers.length) {
    const plain = numbers.length === 1 && element === undefined;
    return { name: plain ? name : `${name}[${index}]`, output: name, element: index, sign: 1, offset: 0 };
  }
  const known = [...(scores?.classes ?? []), ...[...row.keys()].filter((one) => isNumeric(row.get(one)?.dtype ?? ''))];
  const detail = `${options.place}explain.target: ${(target ?? name).slice(0, 80) || 'none'} is no number of the answer; known are ${known.slice(0, 50).join(', ')}`;
  throw new GatewayError('invalid_request', detail);
}

/** The class of that name, or the best. Undefined where there is none of the name. */
function classTarget(
  output: Tensor | undefined,
  { output: name, classes, gives }: ClassOutput,
  wanted: string | undefined,
): Target | undefined {
  if (!output) return undefined;
  const numbers = Array.from(numbersOf(output));
  const scores = nameRow(numbers, { classes, gives, wants: 'raw' });
  if (scores instanceof GatewayError) throw scores;
  const index = wanted === undefined ? largest(scores.map(([, score]) => score)) : classes.indexOf(wanted);
  const found = classes[index];
  if (found === undefined) return undefined;
  const isFirstOfOne = numbers.length < classes.length && index === 0;
  if (!isFirstOfOne)
    return { name: found, output: name, element: Math.min(index, numbers.length - 1), sign: 1, offset: 0 };
  return { name: found, output: name, element: 0, sign: -1, offset: gives === 'probabilities' ? 1 : 0 };
}

function largest(numbers: ArrayLike<number> = []): number {
  return Array.from(numbers).reduce((best, value, index, all) => (value > (all[best] ?? Number.NaN) ? index : best), 0);
}

/** The score of one row. @throws GatewayError model_failed for a number that is not finite. */
export function scoreOf(row: RowTensors, { output, element, sign, offset }: Target): number {
  const tensor = row.get(output);
  const number = tensor ? numbersOf(tensor)[element] : undefined;
  if (number !== undefined && Number.isFinite(number)) return offset + sign * number;
  throw new GatewayError('model_failed', 'explain: the model answered with a score that is not a finite number.');
}
