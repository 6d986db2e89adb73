/** How fast work gets done while there is more of it than places: what a queue's length means in time. */

/** What is older counts little. Long enough that a hiccup of a second does not look like the end of all speed. */
const MEMORY_MS = 3000;

export type Pace = {
  /** Work begins to wait: from now on the time between two ends tells the pace. */
  begin(nowMs: number): void;
  /** `lanes` of work ended. */
  done(lanes: number, wasFull: boolean, nowMs: number): void;
  /** The milliseconds in which as much waiting work begins; 0 while nothing is known. */
  msFor(lanes: number): number;
  /** How much longer than a service time nothing has ended: work that hangs, which no average tells of. */
  silenceMs(nowMs: number, serviceMs: number): number;
};

/** Makes a measurement that knows nothing yet. */
export function createPace(): Pace {
  let sinceMs = Number.POSITIVE_INFINITY;
  // Both fade with time, so that their ratio is the average over about the last `MEMORY_MS` of being busy.
  let busyMs = 0;
  let lanesDone = 0;
  return {
    begin(nowMs) {
      sinceMs = nowMs;
    },
    done(lanes, wasFull, nowMs) {
      if (wasFull) {
        const tookMs = nowMs - sinceMs;
        const kept = Math.exp(-tookMs / MEMORY_MS);
        busyMs = busyMs * kept + tookMs;
        lanesDone = lanesDone * kept + lanes;
      }
      sinceMs = wasFull ? nowMs : Number.POSITIVE_INFINITY;
    },
    msFor: (lanes) => (lanesDone > 0 ? (lanes * busyMs) / lanesDone : 0),
    silenceMs: (nowMs, serviceMs) => Math.max(0, nowMs - sinceMs - serviceMs),
  };
}
