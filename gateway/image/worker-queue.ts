/** A FIFO queue for workers, with a limit on the pixels decoded at once. That limits memory. */

export type WorkerQueue<W> = {
  /**
   * Waits for a free worker and for `pixels` to fit the limit. Rejects with the signal's reason on abort.
   * The caller gives the pixels back with `release`, and the worker with `add` if it can take another picture.
   */
  acquire(pixels: number, signal: AbortSignal): Promise<W>;
  release(pixels: number): void;
  /** Whether a worker is free. */
  readonly hasWorker: boolean;
  /** Adds a free worker. */
  add(worker: W): void;
  /** Removes a worker, if it is free. */
  remove(worker: W): void;
  /** Rejects everything that waits. */
  refuse(error: Error): void;
};

type Waiting<W> = {
  readonly pixels: number;
  readonly start: (worker: W) => void;
  readonly leave: (reason: unknown) => void;
};

/** Makes the queue. The caller refuses pictures of more than `maxPixels`: they would never start. */
export function createWorkerQueue<W>(maxPixels: number): WorkerQueue<W> {
  const idle: W[] = [];
  const queue = new Set<Waiting<W>>();
  let pixelsInUse = 0;

  function startNext(): void {
    for (const waiting of queue) {
      if (pixelsInUse + waiting.pixels > maxPixels) return;
      // The worker released last has warm caches. The memory of workers that stay idle can be swapped out.
      const worker = idle.pop();
      if (worker === undefined) return;
      pixelsInUse += waiting.pixels;
      waiting.start(worker);
    }
  }

  return {
    acquire(pixels, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<W>();
      const abort = () => {
        waiting.leave(signal.reason);
        startNext();
      };
      const end = () => {
        queue.delete(waiting);
        signal.removeEventListener('abort', abort);
      };
      const waiting: Waiting<W> = {
        pixels,
        start(worker) {
          end();
          resolve(worker);
        },
        leave(reason) {
          end();
          reject(reason);
        },
      };
      signal.addEventListener('abort', abort, { once: true });
      queue.add(waiting);
      startNext();
      return promise;
    },
    release(pixels) {
      pixelsInUse -= pixels;
      startNext();
    },
    get hasWorker() {
      return idle.length > 0;
    },
    add(worker) {
      idle.push(worker);
      startNext();
    },
    remove(worker) {
      const index = idle.indexOf(worker);
      if (index >= 0) idle.splice(index, 1);
    },
    refuse(error) {
      for (const { leave } of queue) leave(error);
    },
  };
}
