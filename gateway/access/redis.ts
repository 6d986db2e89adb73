/** The connection to the Redis in which all replicas count requests. A request waits at most 100 ms for it. */
import { createRequire } from 'node:module';
import type { Redis } from 'ioredis';
import type { Log } from '../domain/request.ts';

/** A count takes about 1 ms. After 100 ms it is better to count in this process. */
const COMMAND_TIMEOUT_MS = 100;
const CONNECT_TIMEOUT_MS = 2000;
const MAX_RETRY_MS = 2000;

/**
 * Connects, and reconnects after a failure. Without a connection, commands fail at once; this is logged once. A
 * connection that stops responding is closed: a Redis that hangs delays only a few requests, by 100 ms each.
 */
export function openRedis(url: string, log: Log): Redis {
  // Loaded only if Redis is used: loading it takes a tenth of the start-up time.
  const { Redis } = createRequire(import.meta.url)('ioredis') as typeof import('ioredis');
  const redis = new Redis(url, {
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(attempt * 100, MAX_RETRY_MS),
  });
  let isShared: boolean | undefined;
  redis.on('ready', () => {
    isShared = true;
    log.info({}, 'rate limits are counted in Redis');
  });
  // Log the message only: the error of a refused login contains the password.
  redis.on('error', ({ message: reason }: Error) => {
    if (isShared !== false) {
      log.warn({ reason }, 'Redis is unavailable: rate limits are counted in this process until it is back');
    }
    isShared = false;
  });
  return redis;
}
