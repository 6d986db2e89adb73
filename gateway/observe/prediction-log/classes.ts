/** What a model says in the words of model.yaml: its best classes, or its decision. */
import { numbersOf } from '../../domain/elements.ts';
import type { Meaning } from '../../domain/meaning.ts';
import type { Decision } from '../../domain/table.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { asGatewayError } from '../../errors.ts';
import { energyOf } from '../../scores/energy.ts';
import { entropyOf } from '../../scores/entropy.ts';
import { nameScores, type ScoreOptions, type Scores } from '../../scores/scores.ts';
import type { HeldTensor } from './held.ts';
import type { PredictionLine } from './schema.ts';

/** Classes with their scores in one line. */
const MAX_CLASSES = 10;

/** An output of a row by its name. */
type OutputOf = (name: string) => HeldTensor | undefined;

type Classes = Pick<PredictionLine, 'class' | 'score' | 'scores' | 'entropy' | 'energy'>;
export const NO_CLASSES: Classes = { class: null, score: null, scores: null, entropy: null, energy: null };

/** The best classes of a row with their probabilities, or true and false of a decision. */
export function classesOf(outputs: OutputOf, { scores, decision }: Meaning): Classes {
  if (scores && scores.gives !== 'values') return bestClasses(outputs, scores);
  return decision ? decided(outputs, decision) : NO_CLASSES;
}

function bestClasses(outputs: OutputOf, { output, classes, gives }: NonNullable<Meaning['scores']>): Classes {
  const row = outputs(output);
  if (!row || !('bytes' in row)) return NO_CLASSES;
  const options = { classes, gives, wants: 'probabilities', top: classes.length } as const;
  const named = namedScores({ ...row, shape: [1, ...row.shape] }, options);
  const [best] = named;
  if (!best) return NO_CLASSES;
  const [name, score] = best;
  const energy = energyOf(Array.from(numbersOf(row)), gives);
  return {
    class: name,
    score: rounded(score),
    scores: named.slice(0, MAX_CLASSES).map(([one, its]) => ({ class: one, score: rounded(its) })),
    // Labels that do not exclude each other are no distribution.
    entropy: gives === 'sigmoid-logits' ? null : rounded(entropyOf(named.map(([, its]) => its))),
    energy: energy === undefined ? null : rounded(energy),
  };
}

/** None where the output has another shape than model.yaml says, or a number that is not finite. */
function namedScores(output: Tensor, options: ScoreOptions): Scores {
  try {
    const [named] = nameScores(output, 1, options);
    return Array.isArray(named) ? named : [];
  } catch (thrown) {
    if (asGatewayError(thrown).kind !== 'model_failed') throw thrown;
    return [];
  }
}

/** A number from 0 to 1 is taken as the probability of `true`. */
function decided(outputs: OutputOf, { output, threshold }: Decision): Classes {
  const tensor = outputs(output);
  const value = tensor && 'bytes' in tensor ? numbersOf(tensor)[0] : undefined;
  if (value === undefined || Number.isNaN(value)) return NO_CLASSES;
  const isTrue = value >= threshold;
  const isProbability = value >= 0 && value <= 1;
  if (!isProbability) return { ...NO_CLASSES, class: String(isTrue) };
  const [score, entropy] = [isTrue ? value : 1 - value, entropyOf([1 - value, value])];
  return { ...NO_CLASSES, class: String(isTrue), score: rounded(score), entropy: rounded(entropy) };
}

/** Enough digits for statistics. */
export function rounded(score: number): number {
  return Number(score.toPrecision(7));
}
