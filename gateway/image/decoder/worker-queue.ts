/** A FIFO queue for a fixed set of workers, with a limit on the pixels decoded at once. That limits memory. */

export type WorkerQueue<W> = {
  /** Waits for a free worker and for `pixels` to fit the limit. Rejects with the signal's reason on abort. */
  acquire(pixels: number, signal: AbortSignal): Promise<W>;
  release(worker: W, pixels: number): void;
};

type Waiting<W> = { readonly pixels: number; readonly start: (worker: W) => void };

/** Makes the queue. The caller refuses pictures of more than `maxPixels`: they would never start. */
export function createWorkerQueue<W>(workers: readonly W[], maxPixels: number): WorkerQueue<W> {
  const idle = [...workers];
  const queue = new Set<Waiting<W>>();
  let pixelsInUse = 0;

  function startNext(): void {
    for (const waiting of queue) {
      if (pixelsInUse + waiting.pixels > maxPixels) return;
      // The worker released last has warm caches. The memory of workers that stay idle can be swapped out.
      const worker = idle.pop();
      if (worker === undefined) return;
      queue.delete(waiting);
      pixelsInUse += waiting.pixels;
      waiting.start(worker);
    }
  }

  return {
    acquire(pixels, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<W>();
      const leave = () => {
        queue.delete(waiting);
        reject(signal.reason);
        startNext();
      };
      const start = (worker: W) => {
        signal.removeEventListener('abort', leave);
        resolve(worker);
      };
      const waiting: Waiting<W> = { pixels, start };
      signal.addEventListener('abort', leave, { once: true });
      queue.add(waiting);
      startNext();
      return promise;
    },
    release(worker, pixels) {
      idle.push(worker);
      pixelsInUse -= pixels;
      startNext();
    },
  };
}
