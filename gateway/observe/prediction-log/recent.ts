/** The last predictions of this process, by their ids: labels that come in time are counted as right or wrong. */
import type { PredictionLine } from './schema.ts';

/** Predictions that are kept: by number, by the characters of their ids and classes, and by age. The oldest go first. */
const MAX_COUNT = 50_000;
const MAX_LENGTH = 8 * 2 ** 20;
const MAX_AGE_MS = 24 * 3_600_000;

/** `unknown`: no prediction with a class is known by the id. */
export type LabelOutcome = 'right' | 'wrong' | 'unknown';
export type Recent = Pick<PredictionLine, 'model' | 'version'> & { readonly class: string };
/** The prediction of a label. */
export type Judged = Partial<Pick<Recent, 'model' | 'version'>> & { readonly outcome: LabelOutcome };

export type RecentOptions = { readonly maxCount?: number; readonly maxLength?: number; readonly maxAgeMs?: number };

type Kept = Recent & { readonly ms: number; isLabelled: boolean };

export class RecentPredictions {
  readonly #options: Required<RecentOptions>;
  /** In the order in which they came. */
  readonly #kept = new Map<string, Kept>();
  #length = 0;

  constructor({ maxCount = MAX_COUNT, maxLength = MAX_LENGTH, maxAgeMs = MAX_AGE_MS }: RecentOptions = {}) {
    this.#options = { maxCount, maxLength, maxAgeMs };
  }

  /** Of two predictions with one id the later one is kept. */
  add(id: string, { model, version, class: predicted }: Recent): void {
    this.#remove(id);
    this.#kept.set(id, { model, version, class: predicted, ms: Date.now(), isLabelled: false });
    this.#length += id.length + predicted.length;
    this.#removeOld();
  }

  /** Compares a label with its prediction. Undefined for a further label of a prediction: it is not counted twice. */
  judge(id: string, label: string): Judged | undefined {
    this.#removeOld();
    const kept = this.#kept.get(id);
    if (!kept) return { outcome: 'unknown' };
    if (kept.isLabelled) return undefined;
    kept.isLabelled = true;
    return { model: kept.model, version: kept.version, outcome: kept.class === label ? 'right' : 'wrong' };
  }

  #removeOld(): void {
    const { maxCount, maxLength, maxAgeMs } = this.#options;
    const oldestMs = Date.now() - maxAgeMs;
    for (const [id, { ms }] of this.#kept) {
      if (this.#kept.size <= maxCount && this.#length <= maxLength && ms >= oldestMs) return;
      this.#remove(id);
    }
  }

  #remove(id: string): void {
    const kept = this.#kept.get(id);
    if (!kept) return;
    this.#kept.delete(id);
    this.#length -= id.length + kept.class.length;
  }
}
