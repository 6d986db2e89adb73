/** A queue for the event loop: work that must not delay other requests is done a piece at a time. */

/**
 * Creates a queue. It runs pieces in later turns of the event loop, in their order: one in each turn, and more of them until
 * `shareMs` have passed in it.
 */
export function createLoopQueue(shareMs = 0): (piece: () => void) => void {
  const due: (() => void)[] = [];
  let isRunning = false;
  function run(): void {
    const endMs = performance.now() + shareMs;
    do due.shift()?.();
    while (due.length > 0 && performance.now() < endMs);
    isRunning = due.length > 0;
    if (isRunning) setImmediate(run);
  }
  return (piece) => {
    due.push(piece);
    if (!isRunning) setImmediate(run);
    isRunning = true;
  };
}
