/** Logs what has changed in the state of a model. */
import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../domain/request.ts';
import type { CanaryState, ModelState } from './state.ts';

/** Logs at most a line for each part: its canary, the versions that are refused, and its readiness. */
export function tellChange(log: Log, model: string, before: ModelState | undefined, state: ModelState): void {
  const { problem, detail, isPending, refused, canary, mistake: _, ...version } = state;
  if (!isDeepStrictEqual(before?.canary, canary)) tellCanary(log, model, canary);
  if (refused && !problem && !isDeepStrictEqual(before?.refused, refused))
    log.warn({ model, refused }, 'versions of the model are refused');
  if (before?.problem === problem && before?.version === state.version) return;
  const fields = { model, problem, ...version };
  // The details of a pending model are those of the model server, which are logged once for all models.
  if (isPending) log.info(fields, 'model is not ready yet');
  else if (problem) log.warn({ ...fields, detail }, 'model is not ready');
  else log.info(fields, 'model is ready');
}

function tellCanary(log: Log, model: string, canary: CanaryState | undefined): void {
  if (!canary) log.info({ model }, 'the model has no canary any more');
  else if (canary.problem === undefined) log.info({ model, canary }, 'the canary gets its share of the requests');
  else log.warn({ model, canary }, 'the canary gets no requests; the stable version answers them');
}
