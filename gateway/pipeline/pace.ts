/** How fast work gets done while there is more of it than places: what a queue's length means in time. */

/** Weight of the newest interval; about the last twenty count. */
const WEIGHT = 0.05;

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
  let msPerLane = 0;
  let sinceMs = Number.POSITIVE_INFINITY;
  return {
    begin(nowMs) {
      sinceMs = nowMs;
    },
    done(lanes, wasFull, nowMs) {
      const sampleMs = (nowMs - sinceMs) / lanes;
      if (wasFull) msPerLane += (sampleMs - msPerLane) * (msPerLane === 0 ? 1 : WEIGHT);
      sinceMs = wasFull ? nowMs : Number.POSITIVE_INFINITY;
    },
    msFor: (lanes) => lanes * msPerLane,
    silenceMs: (nowMs, serviceMs) => Math.max(0, nowMs - sinceMs - serviceMs),
  };
}
