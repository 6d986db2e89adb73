/**
 * Rate limits: requests per short window and per day. Counted in this process, or in a Redis that all replicas share.
 */
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Rate } from './rate.ts';

const DAY_S = 86_400;

/** One rate limit of a caller after the current request. */
export type RateLimitState = {
  readonly policy: 'rate' | 'quota';
  readonly limit: number;
  readonly windowS: number;
  readonly remaining: number;
  /** Seconds until the window ends, rounded up. */
  readonly resetS: number;
  readonly isOver: boolean;
};

/** The caller to count for, and its limits: `rate` per short window, `quota` in requests per UTC day. */
export type CountedCaller = {
  readonly identity: string;
  readonly rate?: Rate | undefined;
  readonly quota?: number | undefined;
};

/** Counts one request against the rate, then against the quota. Stops at the first limit that is exceeded. */
export type RateLimits = (caller: CountedCaller) => Promise<readonly RateLimitState[]>;

type Limiter = RateLimiterMemory | RateLimiterRedis;
type LimiterOptions = { readonly keyPrefix: string; readonly points: number; readonly duration: number };

/** Creates the rate limits. Without a Redis, or while it is unavailable, each replica counts for itself. */
export function createRateLimits(redis?: Redis): RateLimits {
  const limiters = new Map<string, Limiter>();

  function limiterOf(points: number, duration: number): Limiter {
    const keyPrefix = `tensorgate:${points}/${duration}`;
    const limiter = limiters.get(keyPrefix) ?? makeLimiter(redis, { keyPrefix, points, duration });
    limiters.set(keyPrefix, limiter);
    return limiter;
  }

  return async ({ identity, rate, quota }) => {
    const states: RateLimitState[] = [];
    if (rate) {
      const { count: limit, windowS } = rate;
      const counted = await count(limiterOf(limit, windowS), identity, windowS);
      states.push({ policy: 'rate', limit, windowS, ...counted });
    }
    if (quota !== undefined && !states.some(({ isOver }) => isOver)) {
      const { day, leftS } = today();
      const counted = await count(limiterOf(quota, DAY_S), `${identity}:${day}`, leftS);
      states.push({ policy: 'quota', limit: quota, windowS: DAY_S, ...counted });
    }
    return states;
  };
}

function makeLimiter(redis: Redis | undefined, options: LimiterOptions): Limiter {
  const memory = new RateLimiterMemory(options);
  if (!redis) return memory;
  return new RateLimiterRedis({
    ...options,
    storeClient: redis,
    insuranceLimiter: memory,
    rejectIfRedisNotReady: true,
    // A caller over its limit is refused without a query to Redis until its window ends.
    inMemoryBlockOnConsumed: options.points,
  });
}

async function count(limiter: Limiter, identity: string, windowS: number) {
  const state = ({ remainingPoints, msBeforeNext }: RateLimiterRes, isOver: boolean) => ({
    remaining: remainingPoints,
    resetS: Math.max(1, Math.ceil(msBeforeNext / 1000)),
    isOver,
  });
  try {
    return state(await limiter.consume(identity, 1, { customDuration: windowS }), false);
  } catch (refused) {
    if (refused instanceof RateLimiterRes) return state(refused, true);
    throw refused;
  }
}

/** The UTC day and the seconds left of it. */
function today(): { readonly day: string; readonly leftS: number } {
  const nowS = Date.now() / 1000;
  return { day: new Date().toISOString().slice(0, 10), leftS: Math.ceil(DAY_S - (nowS % DAY_S)) };
}
