/** Limits how many pieces of work run at once, for each key by itself. */
import { addAbortListener } from 'node:events';

export type Semaphore = {
  /**
   * Takes a place of the key, in the order of the calls. Resolves with the function that gives it back; call it once.
   * Rejects with the signal's reason if it aborts before a place is free.
   */
  acquire(key: string, signal: AbortSignal): Promise<() => void>;
};

type Places = { taken: number; readonly waiting: Set<() => void> };

/** Creates a semaphore with `limit` places for each key. */
export function createSemaphore(limit: number): Semaphore {
  const placesOf = new Map<string, Places>();

  function release(key: string, places: Places): void {
    const [next] = places.waiting;
    if (next) {
      places.waiting.delete(next);
      next(); // it takes over the place
      return;
    }
    places.taken -= 1;
    if (places.taken === 0) placesOf.delete(key);
  }

  return {
    async acquire(key, signal) {
      signal.throwIfAborted();
      const places = placesOf.get(key) ?? { taken: 0, waiting: new Set() };
      placesOf.set(key, places);
      if (places.taken < limit) places.taken += 1;
      else await turnAmong(places.waiting, signal);
      return () => release(key, places);
    },
  };
}

/** Waits in the set until its function is called. */
async function turnAmong(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  const { promise: turn, resolve, reject } = Promise.withResolvers<void>();
  waiting.add(resolve);
  using _listener = addAbortListener(signal, () => {
    if (waiting.delete(resolve)) reject(signal.reason);
  });
  await turn;
}
