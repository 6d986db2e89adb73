/** Bounds the work that may begin in one turn of the event loop, so that work begun earlier goes on in the same turn. */

/**
 * Creates the function that begins work: at once until `shareMs` have passed with it in this turn, else in later turns, in
 * the order of the calls. Only what a call does before it returns is measured.
 */
export function createTurnShare(shareMs: number): (begin: () => void) => void {
  const due: (() => void)[] = [];
  let leftMs = shareMs;
  let isTurnDue = false;
  function measure(begin: () => void): void {
    const startedMs = performance.now();
    begin();
    leftMs -= performance.now() - startedMs;
  }
  function expectTurn(): void {
    if (!isTurnDue) setImmediate(turn);
    isTurnDue = true;
  }
  function turn(): void {
    leftMs = shareMs;
    isTurnDue = false;
    for (let next = due.shift(); next; next = leftMs > 0 ? due.shift() : undefined) {
      expectTurn();
      measure(next);
    }
  }
  return (begin) => {
    expectTurn();
    if (due.length === 0 && leftMs > 0) measure(begin);
    else due.push(begin);
  };
}
