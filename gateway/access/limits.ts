/** Limits: how many requests in a short window, and in a day. Counted here, or in a Redis that all replicas share. */
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Rate } from './rate.ts';

const DAY_S = 86_400;

/** Where a caller stands against one limit, after this request. */
export type Standing = {
  readonly policy: 'rate' | 'quota';
  readonly limit: number;
  readonly windowS: number;
  readonly remaining: number;
  /** Seconds until the window ends, rounded up. */
  readonly resetS: number;
  readonly isOver: boolean;
};

export type Asking = { readonly who: string; readonly rate?: Rate | undefined; readonly quota?: number | undefined };

/** Counts one request against each limit there is, up to the first that it is over. */
export type Limits = (asking: Asking) => Promise<readonly Standing[]>;

type Limiter = RateLimiterMemory | RateLimiterRedis;

/** Makes the limits. With a Redis that does not answer, each replica counts for itself. */
export function createLimits(redis?: Redis): Limits {
  const limiters = new Map<string, Limiter>();

  function limiterOf(points: number, duration: number): Limiter {
    const keyPrefix = `tensorgate:${points}/${duration}`;
    const limiter = limiters.get(keyPrefix) ?? makeLimiter(redis, { keyPrefix, points, duration });
    limiters.set(keyPrefix, limiter);
    return limiter;
  }

  return async ({ who, rate, quota }) => {
    const standings: Standing[] = [];
    if (rate) {
      const { count: limit, windowS } = rate;
      standings.push({ policy: 'rate', limit, windowS, ...(await take(limiterOf(limit, windowS), who, windowS)) });
    }
    if (quota !== undefined && !standings.some(({ isOver }) => isOver)) {
      const { day, leftS } = today();
      const taken = await take(limiterOf(quota, DAY_S), `${who}:${day}`, leftS);
      standings.push({ policy: 'quota', limit: quota, windowS: DAY_S, ...taken });
    }
    return standings;
  };
}

function makeLimiter(
  redis: Redis | undefined,
  options: { keyPrefix: string; points: number; duration: number },
): Limiter {
  const memory = new RateLimiterMemory(options);
  if (!redis) return memory;
  return new RateLimiterRedis({
    ...options,
    storeClient: redis,
    insuranceLimiter: memory,
    rejectIfRedisNotReady: true,
    // Who is over a limit need not be looked up again until its window ends.
    inMemoryBlockOnConsumed: options.points,
  });
}

async function take(limiter: Limiter, who: string, windowS: number) {
  const standing = ({ remainingPoints, msBeforeNext }: RateLimiterRes, isOver: boolean) => ({
    remaining: remainingPoints,
    resetS: Math.max(1, Math.ceil(msBeforeNext / 1000)),
    isOver,
  });
  try {
    return standing(await limiter.consume(who, 1, { customDuration: windowS }), false);
  } catch (refused) {
    if (refused instanceof RateLimiterRes) return standing(refused, true);
    throw refused;
  }
}

function today(): { readonly day: string; readonly leftS: number } {
  const nowS = Date.now() / 1000;
  return { day: new Date().toISOString().slice(0, 10), leftS: Math.ceil(DAY_S - (nowS % DAY_S)) };
}
