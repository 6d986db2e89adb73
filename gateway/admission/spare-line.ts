/** The line of spare work: it waits until predictions leave room for it, in the order of its arrival. */
import { abortError } from '../errors.ts';

type Waiting = { readonly images: number; readonly sinceMs: number; readonly begin: () => void };

export class SpareLine {
  readonly #waiting = new Set<Waiting>();
  #isResting = false;

  get size(): number {
    return this.#waiting.size;
  }

  /** No spare work begins now. */
  get isResting(): boolean {
    return this.#isResting;
  }

  /** Lets no spare work begin for so long. `then` is called after it. */
  rest(ms: number, then: () => void): void {
    if (this.#isResting) return;
    this.#isResting = true;
    setTimeout(() => {
      this.#isResting = false;
      then();
    }, ms);
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
        sinceMs: performance.now(),
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

  /** Begins all work at the head of the line for which there is room. `waitedMs`: how long it has been in the line. */
  advance(hasRoom: (images: number, waitedMs: number) => boolean): void {
    for (const entry of this.#waiting) {
      if (!hasRoom(entry.images, performance.now() - entry.sinceMs)) return;
      this.#waiting.delete(entry);
      entry.begin();
    }
  }
}
