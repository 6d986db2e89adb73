/** `--shard i/n`: the part of a batch that one of several processes does. */
import { ConfigError } from '../../config/read.ts';

export type Shard = { readonly index: number; readonly count: number };

/** Parses "0/3", the first of three. Throws ConfigError. */
export function parseShard(text: string): Shard {
  const [, index = '', count = ''] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  if (index === '' || Number(index) >= Number(count)) {
    throw new ConfigError(`--shard ${text}: needs i/n with i from 0 to n-1, such as 0/3 for the first of three`);
  }
  return { index: Number(index), count: Number(count) };
}

/** Whether an item is in the shard. Neighbours go to different shards, so that all take about as long. */
export const isInShard = (item: number, { index, count }: Shard): boolean => item % count === index;

/** How many of `total` items are in the shard. */
export const sizeOf = ({ index, count }: Shard, total: number): number => Math.ceil(Math.max(0, total - index) / count);
