/** How features are cut that no baseline cuts: docs/drift.md has them too. */

import type { Meaning } from '../../domain/meaning.ts';
import { MAX_BUCKETS } from '../../model/baseline.ts';
import type { Cuts } from '../../model/buckets.ts';
import type { Routed } from '../../model/route.ts';

const numbers = (...edges: number[]): Cuts => ({ kind: 'number', edges });
const categories = (names: readonly string[]): Cuts => ({ kind: 'category', categories: names });

const ANSWER: Readonly<Record<string, Cuts>> = {
  score: numbers(0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99),
  entropy: numbers(0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
};

const FILE: Readonly<Record<string, Cuts>> = {
  pixels: numbers(1e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 2e7),
  aspect: numbers(0.5, 0.65, 0.7, 0.8, 0.95, 1.05, 1.25, 1.4, 1.6, 2),
};

const PIXELS: Readonly<Record<string, Cuts>> = {
  brightness: numbers(25, 50, 75, 100, 125, 150, 175, 200, 225),
  contrast: numbers(10, 20, 30, 40, 50, 60, 70, 80, 90),
  sharpness: numbers(2, 4, 8, 12, 16, 24, 32, 48, 64),
};

/** The cuts of a version's features, by their names. Inputs of tables have none: only data tells where to cut them. */
export function defaultCuts({ card: { image } }: Pick<Routed, 'card'>, meaning: Meaning): Map<string, Cuts> {
  return new Map(
    Object.entries({
      ...classCuts(meaning),
      ...(image && FILE),
      ...(image && !('encoded' in image) && PIXELS),
    }),
  );
}

function classCuts({ scores, decision }: Meaning): Readonly<Record<string, Cuts>> {
  if (scores?.gives === 'values' || !(scores || decision)) return {};
  const { classes } = scores ?? { classes: ['false', 'true'] };
  return classes.length <= MAX_BUCKETS - 2 ? { class: categories(classes), ...ANSWER } : ANSWER;
}
