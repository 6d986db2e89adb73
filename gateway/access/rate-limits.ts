/**
 * Rate limits: requests per short window and per day. Counted in this process, or in a Redis that all replicas share.
 */
import type { Redis } from 'ioredis';
import { type Count, createCounter } from './counter.ts';
import type { Rate } from './rate.ts';

const DAY_S = 86_400;

/** One rate limit of a caller after the current request. */
export type RateLimitState = Count & {
  readonly policy: 'rate' | 'quota';
  readonly limit: number;
  readonly windowS: number;
};

/** The caller to count for, and its limits: `rate` per short window, `quota` in requests per UTC day. */
export type CountedCaller = {
  readonly identity: string;
  readonly rate?: Rate | undefined;
  readonly quota?: number | undefined;
};

/** Counts one request against the rate, then against the quota. Stops at the first limit that is exceeded. */
export type RateLimits = (caller: CountedCaller) => Promise<readonly RateLimitState[]>;

/** Creates the rate limits. Without a Redis, or while it is unavailable, each replica counts for itself. */
export function createRateLimits(redis?: Redis): RateLimits {
  const [countRate, countQuota] = [createCounter('rate', redis), createCounter('quota', redis)];

  return async ({ identity, rate, quota }) => {
    const states: RateLimitState[] = [];
    if (rate) {
      const { count: limit, windowS } = rate;
      const counted = await countRate({ identity: `${windowS}:${identity}`, limit, windowS });
      states.push({ policy: 'rate', limit, windowS, ...counted });
    }
    if (quota !== undefined && !states.some(({ isOver }) => isOver)) {
      const { day, leftS } = today();
      const counted = await countQuota({ identity: `${identity}:${day}`, limit: quota, windowS: leftS });
      states.push({ policy: 'quota', limit: quota, windowS: DAY_S, ...counted });
    }
    return states;
  };
}

/** The UTC day and the seconds left of it. */
function today(): { readonly day: string; readonly leftS: number } {
  const nowS = Date.now() / 1000;
  return { day: new Date().toISOString().slice(0, 10), leftS: Math.ceil(DAY_S - (nowS % DAY_S)) };
}
