/** Counts requests of callers, in this process or in a Redis that all replicas share. */
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

/** What one caller may do in one window. */
export type Allowance = { readonly identity: string; readonly limit: number; readonly windowS: number };

export type Count = {
  readonly remaining: number;
  /** Seconds until the window ends, rounded up. */
  readonly resetS: number;
  readonly isOver: boolean;
};

/** Counts one request. Refused ones do not count, except for the first one of each replica in Redis. */
export type Counter = (allowance: Allowance) => Promise<Count>;

/**
 * Creates a counter. Its counts do not depend on the limit: a caller whose limit changes keeps its count. Without a
 * Redis, or while it is unavailable, each process counts for itself.
 */
export function createCounter(name: string, redis?: Redis): Counter {
  const keyPrefix = `tensorgate:${name}`;
  // Without a limit: one count serves all limits.
  const memory = new RateLimiterMemory({ keyPrefix, points: Number.MAX_SAFE_INTEGER, duration: 1 });
  const shared = new Map<number, RateLimiterRedis>();

  /** One for each limit: a caller over its limit is refused without a query to Redis until its window ends. */
  function sharedWith(storeClient: Redis, limit: number): RateLimiterRedis {
    const options = { keyPrefix, points: limit, duration: 1, inMemoryBlockOnConsumed: limit };
    const limiter =
      shared.get(limit) ??
      new RateLimiterRedis({ ...options, storeClient, insuranceLimiter: memory, rejectIfRedisNotReady: true });
    shared.set(limit, limiter);
    return limiter;
  }

  return async ({ identity, limit, windowS }) => {
    const limiter = redis ? sharedWith(redis, limit) : memory;
    const window = { customDuration: windowS };
    try {
      const result = await limiter.consume(identity, 1, window);
      const isOver = result.consumedPoints > limit;
      if (isOver) await memory.reward(identity, 1, window);
      return countOf(result, limit, isOver);
    } catch (refused) {
      if (refused instanceof RateLimiterRes) return countOf(refused, limit, true);
      throw refused;
    }
  };
}

function countOf({ consumedPoints, msBeforeNext }: RateLimiterRes, limit: number, isOver: boolean): Count {
  const remaining = isOver ? 0 : limit - consumedPoints;
  return { remaining, resetS: Math.max(1, Math.ceil(msBeforeNext / 1000)), isOver };
}
