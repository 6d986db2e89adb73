/** The lanes that work is done in: one for each image at once. Held from start to end, but lent to others meanwhile. */

export type LaneBounds = {
  /** Lanes held at once, lent ones too: what memory is bounded by. */
  readonly maxHeld: number;
  /** Lanes at work at once, at the moment: what the CPU and the backend can take. */
  readonly maxBusy: () => number;
  /** Called whenever there may be room for more. */
  readonly onFree: () => void;
};

export type Lanes = {
  /** Whether so many lanes are free. Who needs more than there are gets them when nobody else has any. */
  fits(lanes: number): boolean;
  take(lanes: number): void;
  /** One lane of a caller that keeps others has no more to do: its memory is held on, the lane is free. */
  rest(): void;
  /** Gives back so many lanes, of which some may rest already. */
  give(lanes: number, resting?: number): void;
  /** Lends one of the caller's lanes while `work` waits for somebody else; it is taken back before any new work begins. */
  lend<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  readonly busy: number;
  /** Lanes that were lent and are waited for: work that was let in, and stands in a queue again. */
  readonly waiting: number;
};

/** Makes lanes that nobody is on. */
export function createLanes({ maxHeld, maxBusy, onFree }: LaneBounds): Lanes {
  const returning = new Set<() => void>();
  let held = 0;
  let busy = 0;

  function free(): void {
    for (const back of returning) {
      if (busy > 0 && busy >= maxBusy()) return;
      busy += 1;
      back();
    }
    onFree();
  }

  /** Once the time is up the lane is taken without asking: what is left to do is to end. */
  function comeBack(signal: AbortSignal): Promise<void> | undefined {
    if (signal.aborted || busy === 0 || busy < maxBusy()) {
      busy += 1;
      return undefined;
    }
    return new Promise((resolve) => {
      const giveUp = () => {
        busy += 1;
        back();
      };
      const back = () => {
        signal.removeEventListener('abort', giveUp);
        returning.delete(back);
        resolve();
      };
      signal.addEventListener('abort', giveUp, { once: true });
      returning.add(back);
    });
  }

  return {
    fits: (lanes) =>
      returning.size === 0 && (held === 0 || held + lanes <= maxHeld) && (busy === 0 || busy + lanes <= maxBusy()),
    take(lanes) {
      held += lanes;
      busy += lanes;
    },
    rest() {
      busy -= 1;
      free();
    },
    give(lanes, resting = 0) {
      held -= lanes;
      busy -= lanes - resting;
      free();
    },
    async lend(signal, work) {
      busy -= 1;
      free();
      try {
        return await work();
      } finally {
        await comeBack(signal);
      }
    },
    get busy() {
      return busy;
    },
    get waiting() {
      return returning.size;
    },
  };
}
