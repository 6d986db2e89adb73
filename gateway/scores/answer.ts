/** Turns an output tensor into named scores. */

import type { OutputTensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';

/** One instance's answer: classes with their scores, in the order they are to be shown in. */
export type Scores = readonly (readonly [className: string, score: number])[];

export type AnswerOptions = {
  readonly classes: readonly string[];
  /** What the model gives. */
  readonly gives: 'logits' | 'probabilities';
  /** What the client wants. */
  readonly wants: 'raw' | 'probabilities';
  /** Only the best K, best first; undefined: all, in the model's order. */
  readonly top?: number | undefined;
};

/** Whether an output has a row for each of the `count` instances, whatever the rows hold. */
export function hasRows(output: OutputTensor | undefined, count: number): boolean {
  return output?.shape[0] === count;
}

/**
 * Names the scores of each of the `count` instances of an output of shape [count, classes].
 * Throws `model_failed` when the tensor has another shape or a score is not finite: a class map is never misaligned.
 */
export function nameScores(output: OutputTensor | undefined, count: number, options: AnswerOptions): Scores[] {
  const { classes } = options;
  const [rows, columns, ...rest] = output?.shape ?? [];
  if (!output || rows !== count || columns !== classes.length || rest.length > 0) {
    const got = output ? `[${output.shape}]` : 'no such output';
    throw new GatewayError('model_failed', `The model answered with scores of an unexpected shape.`, {
      cause: new Error(`expected [${count},${classes.length}], got ${got}`),
    });
  }
  return Array.from({ length: count }, (_, row) => {
    const raw = Array.from(classes, (_, column) => output.values[row * classes.length + column] ?? Number.NaN);
    if (!raw.every(Number.isFinite)) {
      throw new GatewayError('model_failed', 'The model answered with a score that is not a finite number.');
    }
    return rank(
      classes,
      options.gives === 'logits' && options.wants === 'probabilities' ? softmax(raw) : raw,
      options.top,
    );
  });
}

function rank(classes: readonly string[], scores: readonly number[], top: number | undefined): Scores {
  const named = classes.map((name, index) => [name, scores[index] ?? Number.NaN] as const);
  return top === undefined ? named : named.sort(([, one], [, other]) => other - one).slice(0, top);
}

/** Softmax with the largest logit taken off first, so that no exponential overflows. */
export function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const exponentials = logits.map((logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}
