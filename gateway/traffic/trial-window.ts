/** What was counted of a canary and of the stable version within the last minutes. */

/** Of one version. Times are of requests that were answered, in seconds. */
export type Counts = { requests: number; errors: number; times: number; seconds: number; squares: number };

export type TrialCounts = {
  readonly candidate: Counts;
  readonly reference: Counts;
  /** Instances that both predicted, and those with the same best class. */
  readonly agreement: { compared: number; same: number };
};

/** The window moves in so many steps. */
const SLICES = 60;

type Slice = TrialCounts & { readonly step: number };

/** Keeps the counts in slices of a sixtieth of the window, so that old ones leave it. */
export class TrialWindow {
  readonly #sliceMs: number;
  #slices: Slice[] = [];

  constructor(windowMs: number) {
    this.#sliceMs = windowMs / SLICES;
  }

  /** The counts of now, to be raised. `nowMs`: of a clock that never goes back. */
  at(nowMs: number): TrialCounts {
    const step = Math.floor(nowMs / this.#sliceMs);
    const last = this.#slices.at(-1);
    if (last?.step === step) return last;
    const next: Slice = { step, ...noCounts() };
    this.#slices = [...this.#slices.filter((slice) => slice.step > step - SLICES), next];
    return next;
  }

  /** The counts of the whole window. */
  total(nowMs: number): TrialCounts {
    const step = Math.floor(nowMs / this.#sliceMs);
    const total = noCounts();
    for (const { step: own, candidate, reference, agreement } of this.#slices) {
      if (own <= step - SLICES) continue;
      add(total.candidate, candidate);
      add(total.reference, reference);
      total.agreement.compared += agreement.compared;
      total.agreement.same += agreement.same;
    }
    return total;
  }
}

function noCounts(): TrialCounts {
  const none = () => ({ requests: 0, errors: 0, times: 0, seconds: 0, squares: 0 });
  return { candidate: none(), reference: none(), agreement: { compared: 0, same: 0 } };
}

function add(total: Counts, counts: Readonly<Counts>): void {
  total.requests += counts.requests;
  total.errors += counts.errors;
  total.times += counts.times;
  total.seconds += counts.seconds;
  total.squares += counts.squares;
}
