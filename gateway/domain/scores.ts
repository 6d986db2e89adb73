/** Scores: what the numbers of a model's output mean, and what a client can ask for. */

/**
 * The values of `scores` in model.yaml. `logits`: exactly one class is true, probabilities are their softmax.
 * `sigmoid-logits`: each class is true or not by itself, probabilities are the sigmoid of each. `probabilities`: the model
 * ends in a softmax or sigmoid. `values`: no scores, such as a price; they have no probabilities.
 */
export const SCORE_KINDS = ['logits', 'probabilities', 'sigmoid-logits', 'values'] as const;
export type ScoreKind = (typeof SCORE_KINDS)[number];

/**
 * The numbers of neurons that can give the scores of the classes, the usual one first: one for each class, or one for
 * both of two classes.
 */
export function neuronCounts(classes: number, gives: ScoreKind): readonly number[] {
  return classes === 2 && gives !== 'values' ? [2, 1] : [classes];
}
