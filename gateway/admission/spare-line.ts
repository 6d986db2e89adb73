/** The line of spare work: it waits until predictions leave room for it, in the order of its arrival. */
import { abortError } from '../errors.ts';

type Waiting = { readonly images: number; readonly begin: () => void };

export class SpareLine {
  readonly #waiting = new Set<Waiting>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Waits for its turn. `take` is called when it comes. Rejects where the signal aborts before. */
  wait(images: number, take: () => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(entry);
        reject(abortError(signal));
      };
      const entry: Waiting = {
        images,
        begin: () => {
          signal.removeEventListener('abort', leave);
          take();
          resolve();
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.add(entry);
    });
  }

  /** Begins all work at the head of the line for which there is room. */
  advance(hasRoom: (images: number) => boolean): void {
    for (const entry of this.#waiting) {
      if (!hasRoom(entry.images)) return;
      this.#waiting.delete(entry);
      entry.begin();
    }
  }
}
