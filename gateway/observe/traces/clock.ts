/** The clock of a trace. */
import type { HrTime } from '@opentelemetry/api';

/**
 * One clock for all spans of a request: the time of day at its start, continued by the monotonic clock. The SDK reads the time of day for each span,
 * which has milliseconds only, so that a span could begin before the one that it follows has ended.
 */
export function startClock(): () => HrTime {
  const offsetMs = Date.now() - performance.now();
  return () => {
    const nowMs = performance.now() + offsetMs;
    const seconds = Math.trunc(nowMs / 1000);
    return [seconds, Math.floor((nowMs - 1000 * seconds) * 1e6)];
  };
}
