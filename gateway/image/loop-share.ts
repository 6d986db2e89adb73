/** Short pieces of work for the event loop, one after another: other requests take their turns between them. */
import { createLoopQueue } from '../domain/loop-queue.ts';

/** Pieces are begun for so long in each turn of the loop. */
const SHARE_MS = 2;

/** Does a piece in a later turn, in the order of the calls. Rejects with what it throws, or with the reason of an abort. */
export type InLoop = <T>(work: () => T, signal: AbortSignal) => Promise<T>;

export function createLoopShare(): InLoop {
  const inLoop = createLoopQueue(SHARE_MS);
  return (work, signal) =>
    new Promise((resolve, reject) => {
      inLoop(() => {
        try {
          signal.throwIfAborted();
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
    });
}
