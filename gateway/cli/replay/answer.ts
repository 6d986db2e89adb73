/** What a version answers to an instance. */

export type Answered = {
  /** The time of the stage `predict`, in seconds. Undefined where a proxy removes it. */
  readonly seconds: number | undefined;
  /** The best class, or `true` or `false` of a decision. Undefined for a model that has neither. */
  readonly best: string | undefined;
  /** The probabilities of the classes. Empty for a model without. */
  readonly probabilities: ReadonlyMap<string, number>;
};

export type Failed = { readonly kind: string; readonly detail: string };

/** Reads the only prediction of an answer. `timing`: the header Server-Timing. */
export function answeredOf(prediction: unknown, classes: readonly string[], timing: string | null): Answered {
  const members = typeof prediction === 'object' && prediction !== null ? prediction : {};
  const names = new Set(classes);
  const probabilities = new Map<string, number>();
  const decisions: boolean[] = [];
  for (const [name, value] of Object.entries(members)) {
    if (names.has(name) && typeof value === 'number') probabilities.set(name, value);
    if (typeof value === 'boolean') decisions.push(value);
  }
  const [decision] = decisions;
  const best = bestOf(probabilities) ?? (decisions.length === 1 ? String(decision) : undefined);
  return { seconds: predictSeconds(timing), best, probabilities };
}

/** The class with the highest probability; of several the first. */
function bestOf(probabilities: ReadonlyMap<string, number>): string | undefined {
  let best: string | undefined;
  let highest = -Infinity;
  for (const [name, probability] of probabilities) {
    if (probability > highest) [best, highest] = [name, probability];
  }
  return best;
}

/** The sum of the differences of all probabilities: from 0 to 2 where they are those of exclusive classes. */
export function distanceOf(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): number {
  const names = new Set([...one.keys(), ...other.keys()]);
  return [...names].reduce((sum, name) => sum + Math.abs((one.get(name) ?? 0) - (other.get(name) ?? 0)), 0);
}

function predictSeconds(timing: string | null): number | undefined {
  const [, ms] = /(?:^|,)\s*predict;(?:[^,]*;)?\s*dur=([\d.]+)/.exec(timing ?? '') ?? [];
  return ms === undefined ? undefined : Number(ms) / 1000;
}
