/** Turns of the event loop: work that must not delay new requests is done one piece at a time. */

const due: (() => void)[] = [];

/** Runs `piece` in a later turn of the event loop, after all pieces that came before. Each turn runs one piece. */
export function inTurn(piece: () => void): void {
  due.push(piece);
  if (due.length === 1) setImmediate(runNext);
}

function runNext(): void {
  due.shift()?.();
  if (due.length > 0) setImmediate(runNext);
}
