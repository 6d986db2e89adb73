/** What an answer says, as the features class, score and entropy. */
import type { Meaning } from '../../domain/meaning.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { entropyOf } from '../../scores/entropy.ts';
import { answeringOutput, rowAnswers } from '../../scores/row-answers.ts';

/** Takes a value of a feature. */
export type AddValue = (feature: string, value: number | string) => void;

/** Adds the values of one row. An output that is not as model.yaml says adds none. */
export type AddAnswer = (row: number, add: AddValue) => void;

/** `outputs`: with the rows as their first axis. */
export function answersIn(outputs: ReadonlyMap<string, Tensor>, rows: number, meaning: Meaning): AddAnswer {
  const output = answeringOutput(meaning);
  const answers = output === undefined ? undefined : rowAnswers(outputs.get(output), rows, meaning);
  // Labels that do not exclude each other are no distribution.
  const hasEntropy = meaning.scores?.gives !== 'sigmoid-logits';
  return (row, add) => {
    const answer = answers?.(row);
    if (!answer) return;
    const { class: name, score, probabilities } = answer;
    add('class', name);
    if (score !== undefined) add('score', score);
    if (hasEntropy && probabilities) add('entropy', entropyOf(probabilities));
  };
}
