/** Short pieces of work for the event loop, one after another: other requests take their turns between them. */

/** Pieces are begun for so long in each turn of the loop. */
const SHARE_MS = 2;

/** Does a piece in a later turn, in the order of the calls. Rejects with what it throws, or with the reason of an abort. */
export type InLoop = <T>(work: () => T, signal: AbortSignal) => Promise<T>;

export function createLoopShare(): InLoop {
  const waiting: (() => void)[] = [];
  let isScheduled = false;

  function run(): void {
    const endMs = performance.now() + SHARE_MS;
    do waiting.shift()?.();
    while (waiting.length > 0 && performance.now() < endMs);
    isScheduled = false;
    schedule();
  }

  function schedule(): void {
    if (isScheduled || waiting.length === 0) return;
    isScheduled = true;
    setImmediate(run);
  }

  return (work, signal) =>
    new Promise((resolve, reject) => {
      waiting.push(() => {
        try {
          signal.throwIfAborted();
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
      schedule();
    });
}
