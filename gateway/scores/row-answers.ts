/** What each row of an answer says: its best class, and the probabilities of all classes. */
import { numbersOf } from '../domain/elements.ts';
import type { Meaning } from '../domain/meaning.ts';
import { neuronCounts } from '../domain/scores.ts';
import { elementCount } from '../domain/shape.ts';
import type { Decision } from '../domain/table.ts';
import type { Tensor } from '../domain/tensor.ts';
import { nameRow } from './scores.ts';

export type RowAnswer = {
  /** The best class, or `true` or `false` of a decision. */
  readonly class: string;
  /** Its probability. */
  readonly score: number | undefined;
  /** Of each class in the order of model.yaml, or of false and true. Undefined for a decision by another number. */
  readonly probabilities: readonly number[] | undefined;
};

/** Undefined for a row with a number that is not finite. */
export type RowAnswers = (row: number) => RowAnswer | undefined;

/** The output that `rowAnswers` reads. Undefined: there is nothing to read. */
export function answeringOutput({ scores, decision }: Meaning): string | undefined {
  return scores && scores.gives !== 'values' ? scores.output : decision?.output;
}

/** Reads the output with `rows` as its first axis. Undefined where it is not as model.yaml says. */
export function rowAnswers(output: Tensor | undefined, rows: number, meaning: Meaning): RowAnswers | undefined {
  const { scores, decision } = meaning;
  if (scores && scores.gives !== 'values') return classAnswers(output, rows, scores);
  return decision && decisionAnswers(output, rows, decision);
}

/** The numbers of a tensor that has `each` of them for every row. */
function numbersIn(tensor: Tensor | undefined, rows: number, isRight: (each: number) => boolean) {
  if (!tensor || 'offsets' in tensor || tensor.shape[0] !== rows) return undefined;
  const each = elementCount(tensor.shape.slice(1));
  const numbers = isRight(each) ? numbersOf(tensor) : [];
  return numbers.length === rows * each && each > 0 ? { numbers, each } : undefined;
}

function classAnswers(
  tensor: Tensor | undefined,
  rows: number,
  { classes, gives }: NonNullable<Meaning['scores']>,
): RowAnswers | undefined {
  const found = numbersIn(tensor, rows, (each) => neuronCounts(classes.length, gives).includes(each));
  if (!found) return undefined;
  const { numbers, each } = found;
  return (row) => {
    const own = Array.from({ length: each }, (_, index) => numbers[row * each + index] ?? Number.NaN);
    const named = nameRow(own, { classes, gives, wants: 'probabilities' });
    if (!Array.isArray(named)) return undefined;
    const [name, score] = named.reduce((best, one) => (one[1] > best[1] ? one : best));
    return { class: name, score, probabilities: named.map(([, probability]) => probability) };
  };
}

/** A number from 0 to 1 is taken as the probability of `true`. */
function decisionAnswers(tensor: Tensor | undefined, rows: number, { threshold }: Decision): RowAnswers | undefined {
  const found = numbersIn(tensor, rows, (each) => each === 1);
  return (
    found &&
    ((row) => {
      const value = found.numbers[row] ?? Number.NaN;
      if (Number.isNaN(value)) return undefined;
      const isTrue = value >= threshold;
      const isProbability = value >= 0 && value <= 1;
      return {
        class: String(isTrue),
        score: isProbability ? (isTrue ? value : 1 - value) : undefined,
        probabilities: isProbability ? [1 - value, value] : undefined,
      };
    })
  );
}
