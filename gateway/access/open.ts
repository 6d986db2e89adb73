/** Access as the gateway has it: the keys in force and the limits, and what they hold open. */
import type { Log } from '../domain/request.ts';
import { reloading } from '../machine/reload.ts';
import { type Key, readKeys } from './keys.ts';
import { createLimits, type Limits } from './limits.ts';
import { openRedis } from './redis.ts';

export type Access = {
  /** Undefined where there is no file of keys: then anybody may ask. */
  keys(): readonly Key[] | undefined;
  readonly limits: Limits;
  close(): void;
};

export type AccessOptions = {
  readonly keysFile?: string | undefined;
  readonly redisUrl?: string | undefined;
  readonly log: Log;
};

/** Opens it. Throws for a file of keys that cannot be read. */
export function openAccess({ keysFile, redisUrl, log }: AccessOptions): Access {
  const keys = keysFile ? reloading({ files: [keysFile], load: () => readKeys(keysFile), log }) : undefined;
  const redis = redisUrl === undefined ? undefined : openRedis(redisUrl, log);
  return {
    keys: () => keys?.current,
    limits: createLimits(redis),
    close() {
      keys?.close();
      redis?.disconnect();
    },
  };
}
