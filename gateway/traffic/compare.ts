/** Compares what two versions say of the same rows. */
import type { Meaning } from '../domain/meaning.ts';
import type { Steps } from '../domain/steps.ts';
import type { Tensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import { answeringOutput, rowAnswers } from '../scores/row-answers.ts';

export type RowComparison = {
  /** Whether the best class is the same, or the decision. */
  readonly isSame: boolean;
  /** The sum of |p - q| over the probabilities, from 0 to 2 where they sum to 1. Undefined without probabilities. */
  readonly distance: number | undefined;
};

/** What one version says. `output`: the one with the scores or the decision. */
export type Said = { readonly output: Tensor | undefined; readonly meaning: Meaning };

/** Rows of one step: well below a millisecond. */
const ROWS_OF_STEP = 128;

/**
 * Compares each row. A row to which only one version gives finite numbers is not the same; one to which neither does is undefined. No
 * rows where the served version said nothing that can be compared. Throws `model_failed` for another output of the other version
 * than model.yaml says.
 */
export function* compareRows(served: Said, other: Said, rows: number): Steps<(RowComparison | undefined)[]> {
  if (answeringOutput(served.meaning) === undefined || !served.output) return [];
  const one = rowAnswers(served.output, rows, served.meaning);
  if (!one) return [];
  const another = rowAnswers(other.output, rows, other.meaning);
  if (!another) throw new GatewayError('model_failed', 'The model answered with scores of an unexpected shape.');
  const compared: (RowComparison | undefined)[] = [];
  for (let row = 0; row < rows; row += 1) {
    const [said, otherSaid] = [one(row), another(row)];
    if (!said && !otherSaid) compared.push(undefined);
    else {
      const isSame = said !== undefined && said.class === otherSaid?.class;
      compared.push({ isSame, distance: distanceOf(said?.probabilities, otherSaid?.probabilities) });
    }
    if (row % ROWS_OF_STEP === ROWS_OF_STEP - 1) yield;
  }
  return compared;
}

/** The L1 distance. */
function distanceOf(one: readonly number[] | undefined, other: readonly number[] | undefined): number | undefined {
  if (!one || one.length !== other?.length) return undefined;
  return one.reduce((sum, probability, index) => sum + Math.abs(probability - (other[index] ?? 0)), 0);
}
