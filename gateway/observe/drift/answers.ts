/** What an answer says, as the features class, score and entropy. */
import { numbersOf } from '../../domain/elements.ts';
import { neuronCounts } from '../../domain/scores.ts';
import { elementCount } from '../../domain/shape.ts';
import type { Decision } from '../../domain/table.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { entropyOf } from '../../scores/entropy.ts';
import { nameRow } from '../../scores/scores.ts';
import type { Meaning } from '../prediction-log/classes.ts';

/** Takes a value of a feature. */
export type AddValue = (feature: string, value: number | string) => void;

/** Adds the values of one row. An output that is not as model.yaml says adds none. */
export type AddAnswer = (row: number, add: AddValue) => void;

/** `outputs`: with the rows as their first axis. */
export function answersIn(outputs: ReadonlyMap<string, Tensor>, rows: number, meaning: Meaning): AddAnswer {
  const { scores, decision } = meaning;
  if (scores && scores.gives !== 'values') return classes(outputs.get(scores.output), rows, scores);
  return decision ? decisions(outputs.get(decision.output), rows, decision) : NONE;
}

const NONE: AddAnswer = () => undefined;

/** The numbers of a tensor that has `each` of them for every row. */
function numbersIn(tensor: Tensor | undefined, rows: number, isRight: (each: number) => boolean) {
  if (!tensor || 'offsets' in tensor || tensor.shape[0] !== rows) return undefined;
  const each = elementCount(tensor.shape.slice(1));
  const numbers = isRight(each) ? numbersOf(tensor) : [];
  return numbers.length === rows * each && each > 0 ? { numbers, each } : undefined;
}

function classes(tensor: Tensor | undefined, rows: number, scores: NonNullable<Meaning['scores']>): AddAnswer {
  const { classes: names, gives } = scores;
  const found = numbersIn(tensor, rows, (each) => neuronCounts(names.length, gives).includes(each));
  if (!found) return NONE;
  const { numbers, each } = found;
  return (row, add) => {
    const own = Array.from({ length: each }, (_, index) => numbers[row * each + index] ?? Number.NaN);
    const named = nameRow(own, { classes: names, gives, wants: 'probabilities' });
    if (!Array.isArray(named)) return;
    const [name, score] = named.reduce((best, one) => (one[1] > best[1] ? one : best));
    add('class', name);
    add('score', score);
    // Labels that do not exclude each other are no distribution.
    if (gives !== 'sigmoid-logits') add('entropy', entropyOf(named.map(([, probability]) => probability)));
  };
}

/** A number from 0 to 1 is taken as the probability of `true`. */
function decisions(tensor: Tensor | undefined, rows: number, { threshold }: Decision): AddAnswer {
  const found = numbersIn(tensor, rows, (each) => each === 1);
  if (!found) return NONE;
  return (row, add) => {
    const value = found.numbers[row] ?? Number.NaN;
    if (Number.isNaN(value)) return;
    const isTrue = value >= threshold;
    add('class', String(isTrue));
    if (value < 0 || value > 1) return;
    add('score', isTrue ? value : 1 - value);
    add('entropy', entropyOf([1 - value, value]));
  };
}
