/** Sends the same instances to two versions. */

import { showProgress } from '../batch/progress.ts';
import { keyHeader } from '../gateway/address.ts';
import type { Compared } from '../verdict/report.ts';
import { type Asked, ask } from './ask.ts';
import type { Instance } from './instance.ts';
import { Tally } from './tally.ts';
import { servedModel } from './versions.ts';

export type Pair = {
  readonly model: string;
  readonly candidate: number;
  readonly reference: number;
};

export type Target = {
  /** The address of a gateway. */
  readonly base: string;
  readonly key?: string | undefined;
  /** Instances that are asked about at once. */
  readonly concurrency: number;
};

export type Outcomes = { readonly compared: Compared; readonly refused: ReadonlyMap<string, number> };

/**
 * Asks both versions about every instance, one after the other: the order alternates, so that caches favour neither. Throws ConfigError
 * for a version that cannot answer.
 */
export async function compare(instances: readonly Instance[], pair: Pair, target: Target): Promise<Outcomes> {
  const { model, candidate, reference } = pair;
  const { base, key, concurrency } = target;
  const headers = keyHeader(key);
  const { classes = [], scores } = await servedModel(base, model, [candidate, reference], headers);
  const hasProbabilities = classes.length > 0 && scores !== 'values';
  const asked: Asked = { base, headers, model, classes, hasProbabilities };
  const tally = new Tally();
  let done = 0;
  using _progress = showProgress(() => ({ done, total: instances.length, errors: 0, limit: concurrency }));
  await atMost(concurrency, instances.entries(), async ([index, instance]) => {
    const isFirst = index % 2 === 0;
    const first = await ask(isFirst ? candidate : reference, instance, asked);
    const second = await ask(isFirst ? reference : candidate, instance, asked);
    tally.add(isFirst ? first : second, isFirst ? second : first);
    done += 1;
  });
  return { compared: tally.compared(model, candidate, reference), refused: tally.refused };
}

/** Does work for every item, for a few at a time. The first failure ends it. */
async function atMost<Item>(count: number, items: IterableIterator<Item>, work: (item: Item) => Promise<void>) {
  let hasFailed = false;
  const worker = async () => {
    for (const item of items) {
      if (hasFailed) return;
      try {
        await work(item);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: count }, worker));
}
