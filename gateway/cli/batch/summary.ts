/** What came of a batch: classes, errors by kind, throughput. */
import { numberText } from './progress.ts';
import type { Row } from './row.ts';

export type Summary = {
  readonly output: string;
  readonly predicted: number;
  readonly errors: Readonly<Record<string, number>>;
  /** How often each class had the highest score. Absent without classes. */
  readonly classes?: Readonly<Record<string, number>>;
  /** Of this run; what an earlier run had done does not count. */
  readonly seconds: number;
  readonly perSecond: number;
};

export class Tally {
  #predicted = 0;
  readonly #errors = new Map<string, number>();
  readonly #classes = new Map<string, number>();
  readonly #names: ReadonlySet<string>;

  /** `classes`: the classes of the model; empty if it has none. */
  constructor(classes: readonly string[]) {
    this.#names = new Set(classes);
  }

  count({ prediction, error }: Row): void {
    if (error) add(this.#errors, error.kind);
    else this.#predicted += 1;
    const best = this.#bestOf(prediction);
    if (best !== undefined) add(this.#classes, best);
  }

  summary(output: string, items: number, seconds: number): Summary {
    return {
      output,
      predicted: this.#predicted,
      errors: sorted(this.#errors),
      ...(this.#classes.size > 0 && { classes: sorted(this.#classes) }),
      seconds: Math.round(seconds * 10) / 10,
      perSecond: Math.round((items / Math.max(seconds, 0.001)) * 10) / 10,
    };
  }

  #bestOf(prediction: unknown): string | undefined {
    if (typeof prediction !== 'object' || prediction === null) return undefined;
    let best: string | undefined;
    let highest = -Infinity;
    for (const [name, score] of Object.entries(prediction)) {
      if (!this.#names.has(name) || typeof score !== 'number' || score <= highest) continue;
      [best, highest] = [name, score];
    }
    return best;
  }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

const sorted = (counts: ReadonlyMap<string, number>) =>
  Object.fromEntries([...counts].sort(([, one], [, other]) => other - one));

/** The summary for people. */
export function summaryText({ output, predicted, errors, classes, seconds, perSecond }: Summary): string {
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts).map(([name, count]) => `  ${numberText(count).padStart(9)}  ${name}`);
  const failed = Object.values(errors).reduce((sum, count) => sum + count, 0);
  return [
    `${output}: ${numberText(predicted)} predicted, ${numberText(failed)} errors, ${seconds} s, ${perSecond} a second`,
    ...(classes ? ['classes', ...list(classes)] : []),
    ...(failed > 0 ? ['errors', ...list(errors)] : []),
  ].join('\n');
}
