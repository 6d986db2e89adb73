/** How often names that no model.yaml has are looked up at the model servers. The names come from requests. */
import { performance } from 'node:perf_hooks';
import { GatewayError } from '../errors.ts';

const PER_SECOND = 20;
const BURST = 40;

/** Makes the function that counts a look-up, and throws `overloaded` above the rate (GCRA). */
export function limitLookUps(): () => void {
  const everyMs = 1000 / PER_SECOND;
  let nextMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = performance.now();
    const takenMs = Math.max(nextMs, nowMs - BURST * everyMs) + everyMs;
    if (takenMs > nowMs) {
      throw new GatewayError('overloaded', 'Too many unknown models are looked up; try again later.');
    }
    nextMs = takenMs;
  };
}
