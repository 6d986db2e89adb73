/** Health. Live: the process responds. Ready: a prediction would work. */
import type { Router } from 'express';
import express from 'express';
import type { ModelState } from '../model/watch.ts';
import type { Lifecycle } from './lifecycle.ts';

export type HealthOptions = {
  readonly lifecycle: Lifecycle;
  readonly states: () => ReadonlyMap<string, ModelState>;
};

/** Creates the routes `/health/live` (always 200) and `/health/ready` (200 or 503, with the state of each model). */
export function createHealth({ lifecycle, states }: HealthOptions): Router {
  const health = express.Router();
  health.get('/health/live', (_request, response) => {
    response.json({ status: 'live' });
  });
  health.get('/health/ready', (_request, response) => {
    const { ready, problem } = readiness(lifecycle, states());
    const models = Object.fromEntries(
      [...states()].map(([name, state]) => [name, { ready: !state.problem, ...state }]),
    );
    response
      .status(ready ? 200 : 503)
      .json({ status: ready ? 'ready' : 'not ready', ...(problem && { problem }), models });
  });
  return health;
}

function readiness(lifecycle: Lifecycle, states: ReadonlyMap<string, ModelState>) {
  if (lifecycle.isDraining()) return { ready: false, problem: 'the gateway is shutting down' };
  const notReady = [...states].find(([, { problem }]) => problem);
  return notReady ? { ready: false, problem: `${notReady[0]}: ${notReady[1].problem}` } : { ready: true };
}
