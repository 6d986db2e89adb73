/** The admissions of models whose model.yaml has max_in_flight. */
import { Admission } from '../admission/admission.ts';
import type { ModelCard } from '../model/card.ts';
import type { Load } from '../observe/metrics/load.ts';

/** Makes an admission for each limit, and keeps it while model.yaml has the same one. */
export class OwnAdmissions {
  readonly #maxQueue: number;
  readonly #byModel = new Map<string, { readonly maxInFlight: number; readonly admission: Admission }>();

  constructor(maxQueue: number) {
    this.#maxQueue = maxQueue;
  }

  /** Undefined for a model that shares the limit of all. */
  of({ name, maxInFlight }: Pick<ModelCard, 'name' | 'maxInFlight'>): Admission | undefined {
    if (maxInFlight === undefined) return undefined;
    const known = this.#byModel.get(name);
    if (known?.maxInFlight === maxInFlight) return known.admission;
    const admission = new Admission({ maxInFlight, maxQueue: this.#maxQueue });
    this.#byModel.set(name, { maxInFlight, admission });
    return admission;
  }

  /** Forgets the admissions of models that are gone. */
  setModels(cards: ReadonlyMap<string, ModelCard>): void {
    for (const name of this.#byModel.keys()) if (cards.get(name)?.maxInFlight === undefined) this.#byModel.delete(name);
  }

  /** What these admissions and the shared one have together. */
  loadWith(shared: Load): Load {
    const all = () => [shared, ...[...this.#byModel.values()].map(({ admission }) => admission)];
    const sum = (read: (load: Load) => number) => all().reduce((total, load) => total + read(load), 0);
    return {
      get inFlight() {
        return sum(({ inFlight }) => inFlight);
      },
      get queued() {
        return sum(({ queued }) => queued);
      },
      get limit() {
        return sum(({ limit }) => limit);
      },
    };
  }
}
