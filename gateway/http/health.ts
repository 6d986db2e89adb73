/** Health. Live: the process responds. Ready: a prediction would work. */
import type { Router } from 'express';
import express from 'express';
import type { Lifecycle } from '../door/lifecycle.ts';
import type { ModelState } from '../model/state.ts';
import type { ModelStates } from '../model/states.ts';
import { exactPath } from './exact-path.ts';

export type HealthOptions = {
  readonly lifecycle: Pick<Lifecycle, 'isDraining'>;
  readonly states: Pick<ModelStates, 'all' | 'readiness'>;
  /** Why no image can be decoded. */
  readonly decodingProblem: () => string | undefined;
  /** Paths that answer as `/health/ready` does. */
  readonly aliases?: readonly string[];
  /** Show the details of problems too, such as the addresses of model servers: on the admin port. */
  readonly withDetails: boolean;
};

/** Creates the routes `/health/live` (always 200) and `/health/ready` (200 or 503, with the state of each model). */
export function createHealth({ lifecycle, states, decodingProblem, aliases = [], withDetails }: HealthOptions): Router {
  const health = express.Router();
  health.get('/health/live', (_request, response) => {
    response.json({ status: 'live' });
  });
  health.get(['/health/ready', ...aliases.map(exactPath)], (_request, response) => {
    const problem = lifecycle.isDraining()
      ? 'the gateway is shutting down'
      : (states.readiness.problem ?? decodingProblem());
    const ready = problem === undefined;
    const models = Object.fromEntries([...states.all].map(([name, state]) => [name, shown(state, withDetails)]));
    response
      .status(ready ? 200 : 503)
      .json({ status: ready ? 'ready' : 'not ready', ...(problem && { problem }), models });
  });
  return health;
}

function shown({ version, parity, problem, detail, refused, canary, mistake }: ModelState, withDetails: boolean) {
  return {
    ready: !problem,
    ...(version !== undefined && { version }),
    ...(parity && { parity }),
    ...(problem && { problem }),
    ...(refused && { refused }),
    ...(canary && { canary }),
    ...(mistake !== undefined && { mistake }),
    ...(withDetails && detail && { detail }),
  };
}
