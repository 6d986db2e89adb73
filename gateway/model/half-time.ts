/** How long a request may wait for a version: half of its time left. The rest is for its own work. */
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import type { RequestContext } from '../domain/request.ts';
import type { ModelVersions } from './versions.ts';

/** Without an id it is a look-up, and no prediction. */
export type Context = Pick<RequestContext, 'signal' | 'deadlineMs'> & Partial<Pick<RequestContext, 'id' | 'sent'>>;

/** Waits for changes while `condition` holds, for half of the time left. */
export async function waitWhile(
  condition: () => boolean,
  versions: Pick<ModelVersions, 'changed'>,
  context: Context,
): Promise<void> {
  if (!condition()) return;
  const over = halfTime(context);
  const isOver = once(over, 'abort');
  while (condition() && !over.aborted) await Promise.race([versions.changed, isOver]);
}

/** Aborted when half of the time left has passed, or the request is over. */
export function halfTime({ signal, deadlineMs }: Context): AbortSignal {
  const leftMs = Math.max(0, deadlineMs - performance.now());
  return AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(leftMs / 2))]);
}
