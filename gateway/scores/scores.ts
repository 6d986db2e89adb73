/** Converts an output tensor to named scores. */

import type { OutputTensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';

/** The scores of one instance: classes with their scores, in the order of the response. */
export type Scores = readonly (readonly [className: string, score: number])[];

export type ScoreOptions = {
  readonly classes: readonly string[];
  /** The kind of scores that the model gives. */
  readonly gives: 'logits' | 'probabilities';
  /** The kind of scores that the client asks for. */
  readonly wants: 'raw' | 'probabilities';
  /** Only the K best, best first. Undefined: all, in the model's order. */
  readonly top?: number | undefined;
};

/** Whether an output has one row for each of the `count` instances. The rows themselves are not checked. */
export function hasRows(output: OutputTensor | undefined, count: number): boolean {
  return output?.shape[0] === count;
}

/**
 * Names the scores of each instance. The output has the shape [count, classes].
 * Throws `model_failed` for another shape, so scores never get the wrong class, and for a score that is not finite.
 */
export function nameScores(output: OutputTensor | undefined, count: number, options: ScoreOptions): Scores[] {
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

/** Softmax. The largest logit is subtracted first, so no exponential overflows. */
export function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const exponentials = logits.map((logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}
