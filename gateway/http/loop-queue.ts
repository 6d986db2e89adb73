/** Turns of the event loop: work that must not delay new requests is done one piece at a time. */

/** Creates a queue. It runs each piece in a later turn of the event loop, one piece in each turn, in their order. */
export function createLoopQueue(): (piece: () => void) => void {
  const due: (() => void)[] = [];
  let isRunning = false;
  function runNext(): void {
    due.shift()?.();
    isRunning = due.length > 0;
    if (isRunning) setImmediate(runNext);
  }
  return (piece) => {
    due.push(piece);
    if (!isRunning) setImmediate(runNext);
    isRunning = true;
  };
}
