/** Opens what access control needs: the API keys, the rate limits and the connection to Redis. */
import type { Log } from '../domain/request.ts';
import { reloading } from '../machine/reload.ts';
import { type Key, readKeys } from './keys.ts';
import { createRateLimits, type RateLimits } from './rate-limits.ts';
import { openRedis } from './redis.ts';

export type Access = {
  /** The current keys. Undefined without a key file: then requests need no key. */
  keys(): readonly Key[] | undefined;
  readonly limits: RateLimits;
  close(): void;
};

export type AccessOptions = {
  readonly keysFile?: string | undefined;
  readonly redisUrl?: string | undefined;
  readonly log: Log;
};

/** Reads the key file, again whenever it changes, and connects to Redis. Throws an Error for an invalid key file. */
export function openAccess({ keysFile, redisUrl, log }: AccessOptions): Access {
  const keys = keysFile ? reloading({ files: [keysFile], load: () => readKeys(keysFile), log }) : undefined;
  const redis = redisUrl === undefined ? undefined : openRedis(redisUrl, log);
  return {
    keys: () => keys?.current,
    limits: createRateLimits(redis),
    close() {
      keys?.close();
      redis?.disconnect();
    },
  };
}
