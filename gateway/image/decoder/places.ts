/** Who decodes when: a fixed set of places, and a bound on the pixels decoded at once, which is a bound on memory. */

export type Places<T> = {
  /** Waits, first come first served, for a place and for room; rejects with the signal's reason once it is aborted. */
  take(pixels: number, signal: AbortSignal): Promise<T>;
  /** Gives both back. */
  give(place: T, pixels: number): void;
};

type Waiting<T> = { readonly pixels: number; readonly start: (place: T) => void };

/** Makes the queue. A picture of more than `maxPixels` has to be refused before. */
export function createPlaces<T>(places: readonly T[], maxPixels: number): Places<T> {
  const free = [...places];
  const queue = new Set<Waiting<T>>();
  let taken = 0;

  function handOut(): void {
    for (const waiting of queue) {
      if (taken + waiting.pixels > maxPixels) return;
      // The one that came back last: the others' memory can be swapped out, and their caches are cold.
      const place = free.pop();
      if (place === undefined) return;
      queue.delete(waiting);
      taken += waiting.pixels;
      waiting.start(place);
    }
  }

  return {
    take(pixels, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const leave = () => {
        queue.delete(waiting);
        reject(signal.reason);
        handOut();
      };
      const start = (place: T) => {
        signal.removeEventListener('abort', leave);
        resolve(place);
      };
      const waiting: Waiting<T> = { pixels, start };
      signal.addEventListener('abort', leave, { once: true });
      queue.add(waiting);
      handOut();
      return promise;
    },
    give(place, pixels) {
      free.push(place);
      taken -= pixels;
      handOut();
    },
  };
}
