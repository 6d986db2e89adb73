/** The progress of a batch on stderr: one line that is redrawn on a terminal, a line every ten seconds elsewhere. */

const REDRAW_MS = 200;
const LINE_EVERY_MS = 10_000;
/** The rate is that of the last seconds. */
const RATE_OVER_MS = 15_000;

export type Counts = {
  readonly done: number;
  readonly total: number;
  readonly errors: number;
  readonly limit: number;
  /** Why nothing is predicted now. */
  readonly waits?: string | undefined;
};

export type Progress = Disposable;

/** Prints until it is disposed. */
export function showProgress(counts: () => Counts, stream: NodeJS.WriteStream = process.stderr): Progress {
  const samples: { readonly ms: number; readonly done: number }[] = [{ ms: performance.now(), done: counts().done }];
  const draw = () => {
    const now = counts();
    const ms = performance.now();
    samples.push({ ms, done: now.done });
    while (samples.length > 2 && ms - (samples[0]?.ms ?? ms) > RATE_OVER_MS) samples.shift();
    const [first] = samples;
    const rate = first && ms > first.ms ? ((now.done - first.done) * 1000) / (ms - first.ms) : 0;
    stream.write(
      stream.isTTY ? `\r\x1b[K${lineOf(now, rate).slice(0, (stream.columns ?? 80) - 1)}` : `${lineOf(now, rate)}\n`,
    );
  };
  const timer = setInterval(draw, stream.isTTY ? REDRAW_MS : LINE_EVERY_MS);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      if (stream.isTTY) stream.write('\r\x1b[K');
    },
  };
}

const BAR = 20;

/** `[=====>    ] 1,200 / 3,781 · 83.1 a second · 31 s left · 2 errors · 8 at once`. */
export function lineOf({ done, total, errors, limit, waits }: Counts, rate: number): string {
  const filled = Math.round((BAR * done) / Math.max(1, total));
  const bar = `${'='.repeat(filled)}${filled < BAR ? '>' : ''}`.padEnd(BAR).slice(0, BAR);
  const parts = [
    `[${bar}] ${numberText(done)} / ${numberText(total)}`,
    `${rate.toFixed(1)} a second`,
    ...(rate > 0 ? [`${durationText((total - done) / rate)} left`] : []),
    `${numberText(errors)} errors`,
    waits === undefined ? `${limit} at once` : `waits: ${waits}`,
  ];
  return parts.join(' · ');
}

export const numberText = (value: number): string => value.toLocaleString('en');

/** 75 s, 12 min, 3.5 h. */
export function durationText(seconds: number): string {
  if (seconds < 100) return `${Math.ceil(seconds)} s`;
  return seconds < 6000 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
