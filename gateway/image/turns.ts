/** Turns for pictures that take longer than the event loop may be blocked: how many are decoded at once, and how large. */
import { createWorkerQueue } from './worker-queue.ts';

export type Turns = {
  /**
   * Waits in a FIFO queue until `count` has room and `pixels` fit the limit, then does the work.
   * Rejects with the signal's reason on abort while it waits.
   */
  take<T>(pixels: number, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
};

/** `pixelsAtOnce`: limit on the pixels of all pictures with a turn; at least those of the largest picture. */
export function createTurns(count: number, pixelsAtOnce: number): Turns {
  const queue = createWorkerQueue<number>(pixelsAtOnce);
  for (let turn = 0; turn < count; turn++) queue.add(turn);
  return {
    async take(pixels, signal, work) {
      const turn = await queue.acquire(pixels, signal);
      try {
        return await work();
      } finally {
        queue.release(pixels);
        queue.add(turn);
      }
    },
  };
}
