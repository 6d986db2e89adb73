/** Shares the connections that may be open between all sources, so that slow sources do not use them up. */
import { addAbortListener } from 'node:events';
import { GatewayError } from '../errors.ts';

/** A download that has taken longer may lose its place. Quick sources answer sooner. */
const SLOW_MS = 250;

/** Called when the place is given to another source. */
type Evict = (error: GatewayError) => void;
type Place = { readonly sinceMs: number; readonly evict: Evict };
/** `waiting`: what takes a place, in the order of the calls. */
type Source = { readonly key: string; readonly taken: Set<Place>; readonly waiting: Set<() => void> };

export type PlacesOptions = {
  /** Places of one source. */
  readonly perSource: number;
  /** Places of all sources together. */
  readonly inAll: number;
};

/**
 * A source may have at most as many places as are still free, and `perSource` (dynamic thresholds; A. Choudhury, E. Hahne, 1998).
 * So one slow source takes half of them, and a few leave some. When none is free, a source that has none gets one of the
 * source that has most: the one that is held longest, if that is SLOW_MS.
 */
export class SourcePlaces {
  readonly #perSource: number;
  readonly #sources = new Map<string, Source>();
  #free: number;
  #timer: NodeJS.Timeout | undefined;

  constructor({ perSource, inAll }: PlacesOptions) {
    this.#perSource = perSource;
    this.#free = inAll;
  }

  /**
   * Takes a place of the source. Resolves with the function that gives it back. Rejects with the signal's reason if it aborts
   * first. `evict` is called with `overloaded` when the place is given to another source.
   */
  async acquire(key: string, signal: AbortSignal, evict: Evict): Promise<() => void> {
    signal.throwIfAborted();
    const source = this.#sources.get(key) ?? { key, taken: new Set(), waiting: new Set() };
    this.#sources.set(key, source);
    if (this.#mayTake(source)) return this.#take(source, evict);
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    const take = () => resolve(this.#take(source, evict));
    source.waiting.add(take);
    this.#serve();
    using _listener = addAbortListener(signal, () => {
      source.waiting.delete(take);
      this.#forgetUnused(source);
      reject(signal.reason);
    });
    return await promise;
  }

  #mayTake({ taken }: Source): boolean {
    return taken.size < Math.min(this.#free, this.#perSource);
  }

  #take(source: Source, evict: Evict): () => void {
    const place = { sinceMs: performance.now(), evict };
    source.taken.add(place);
    this.#free -= 1;
    return () => {
      this.#leave(source, place);
      this.#serve();
    };
  }

  #leave(source: Source, place: Place): void {
    if (!source.taken.delete(place)) return;
    this.#free += 1;
    this.#forgetUnused(source);
  }

  #forgetUnused({ key, taken, waiting }: Source): void {
    if (taken.size + waiting.size === 0) this.#sources.delete(key);
  }

  /** Gives places to those that wait, first to the sources that have fewest. */
  #serve(): void {
    for (let next = this.#next(); next; next = this.#next()) {
      if (!this.#mayTake(next) && (next.taken.size > 0 || !this.#evict())) return;
      const [take] = next.waiting;
      if (take) next.waiting.delete(take);
      take?.();
    }
  }

  /** The source with fewest places among those that wait. */
  #next(): Source | undefined {
    let next: Source | undefined;
    for (const source of this.#sources.values()) {
      if (source.waiting.size > 0 && source.taken.size < (next?.taken.size ?? Number.POSITIVE_INFINITY)) next = source;
    }
    return next;
  }

  /** Makes a place free that is held for long. Where there is none, looks again later. */
  #evict(): boolean {
    const all = [...this.#sources.values()];
    const most = Math.max(...all.map(({ taken }) => taken.size));
    const oldest = all.flatMap((source) => {
      const [place] = source.taken;
      return place && source.taken.size === most ? [{ source, place }] : [];
    });
    const [slowest] = oldest.toSorted((one, other) => one.place.sinceMs - other.place.sinceMs);
    if (!slowest || performance.now() - slowest.place.sinceMs < SLOW_MS) {
      this.#timer ??= setTimeout(() => this.#lookAgain(), SLOW_MS).unref();
      return false;
    }
    const { source, place } = slowest;
    this.#leave(source, place);
    place.evict(new GatewayError('overloaded', 'too many images are fetched; try again later'));
    return true;
  }

  #lookAgain(): void {
    this.#timer = undefined;
    this.#serve();
  }
}
