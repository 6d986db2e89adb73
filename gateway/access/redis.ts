/** The connection to the Redis that replicas share their counts in. Nothing waits for it for long. */
import { createRequire } from 'node:module';
import type { Redis } from 'ioredis';
import type { Log } from '../domain/request.ts';

/** A count takes a millisecond; what takes a hundred is better done without. */
const COMMAND_TIMEOUT_MS = 100;
const CONNECT_TIMEOUT_MS = 2000;
const MAX_RETRY_MS = 2000;

/**
 * Opens the connection and keeps it open. While there is none, commands fail at once, and the log says so once. One
 * that stops answering is closed, so that a Redis that hangs delays a few requests by 100 ms and no more.
 */
export function openRedis(url: string, log: Log): Redis {
  // Loaded for those who have one: it would be a tenth of everybody's start.
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
    log.info({}, 'limits are counted in Redis');
  });
  // Its text alone: the error of a refused login carries the password.
  redis.on('error', ({ message: reason }: Error) => {
    if (isShared !== false) log.warn({ reason }, 'Redis is away: limits are counted in this process until it is back');
    isShared = false;
  });
  return redis;
}
