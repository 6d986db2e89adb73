/** Converts an output tensor to named scores. */

import { numbersOf } from '../domain/elements.ts';
import { neuronCounts, type ScoreKind } from '../domain/scores.ts';
import { elementCount } from '../domain/shape.ts';
import type { Tensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import { sigmoid, softmax } from './activations.ts';

/** The scores of one instance: classes with their scores, in the order of the response. */
export type Scores = readonly (readonly [className: string, score: number])[];

export type ScoreOptions = {
  readonly classes: readonly string[];
  /** The kind of scores that the model gives. */
  readonly gives: ScoreKind;
  /** The kind of scores that the client asks for. */
  readonly wants: 'raw' | 'probabilities';
  /** Only the K best, best first. Undefined: all, in the model's order. */
  readonly top?: number | undefined;
};

/** Throws `invalid_request` when the client asks for probabilities of a model that gives none. */
export function requireScores({ gives, wants }: Pick<ScoreOptions, 'gives' | 'wants'>): void {
  if (gives !== 'values' || wants === 'raw') return;
  throw new GatewayError('invalid_request', 'query scores: this model gives values, not scores; leave it out');
}

/**
 * Names the scores of each instance; a row with a number that is not finite is a `model_failed` of that instance. The
 * output has the shape [count, neurons]. Axes of length 1 after the first may be more or fewer: [count] has one neuron.
 * Throws `model_failed` for another shape, so scores never get the wrong class.
 */
export function nameScores(
  output: Tensor | undefined,
  count: number,
  options: ScoreOptions,
): (Scores | GatewayError)[] {
  const { classes, gives } = options;
  const [rows, ...axes] = output?.shape ?? [];
  const neurons = elementCount(axes);
  const isVector = axes.filter((size) => size !== 1).length <= 1;
  if (!output || rows !== count || !isVector || !neuronCounts(classes.length, gives).includes(neurons)) {
    const got = output ? `[${output.shape}]` : 'no such output';
    throw new GatewayError('model_failed', `The model answered with scores of an unexpected shape.`, {
      cause: new Error(`expected [${count},${classes.length}], got ${got}`),
    });
  }
  const numbers = numbersOf(output);
  return Array.from({ length: count }, (_, row) =>
    nameRow(
      Array.from({ length: neurons }, (_, neuron) => numbers[row * neurons + neuron] ?? Number.NaN),
      options,
    ),
  );
}

/** Names the numbers of one row: as many as the model has neurons. Gives `model_failed` for a number that is not finite. */
export function nameRow(
  numbers: readonly number[],
  { classes, gives, wants, top }: ScoreOptions,
): Scores | GatewayError {
  if (!numbers.every(Number.isFinite)) {
    return new GatewayError('model_failed', 'The model answered with a score that is not a finite number.');
  }
  const scores = numbers.length < classes.length ? bothScores(numbers[0] ?? Number.NaN, gives) : numbers;
  const wanted = wants === 'raw' ? scores : probabilities(scores, numbers.length === 1, gives);
  const named = classes.map((name, index) => [name, wanted[index] ?? Number.NaN] as const);
  return top === undefined ? named : named.sort(([, one], [, other]) => other - one).slice(0, top);
}

/** The scores of two classes that share one neuron. It stands for the second one, as in Keras' binary label mode. */
function bothScores(second: number, gives: ScoreKind): readonly number[] {
  return [gives === 'probabilities' ? 1 - second : -second, second];
}

function probabilities(scores: readonly number[], isOneNeuron: boolean, gives: ScoreKind): readonly number[] {
  if (gives === 'probabilities' || gives === 'values') return scores;
  // The softmax of a single logit is 1 for every picture: the logit of one neuron is that of a sigmoid.
  return gives === 'sigmoid-logits' || isOneNeuron ? scores.map(sigmoid) : softmax(scores);
}
