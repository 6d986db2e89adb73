/** READY_WHEN: whether the gateway is ready, by the states of its models. */
import type { ModelState } from './state.ts';

export type ReadyWhen = 'any' | 'all';

export type Readiness = { readonly ready: boolean; readonly problem?: string };

type States = ReadonlyMap<string, ModelState>;

/**
 * Makes the function to call after each change of a state. Without models the gateway is not ready by this rule.
 *
 * `all`: every model is ready. `any`: at least one model is ready. After a start or an outage, `any` also waits until no
 * model is pending: otherwise each rollout would answer 503 for the models whose check takes longest. A model that is
 * added later is not waited for.
 */
export function createReadiness(rule: ReadyWhen): (states: States) => Readiness {
  let isSettled = false;
  return (states) => {
    if (states.size === 0) return { ready: false };
    const notReady = [...states].filter(([, { problem }]) => problem !== undefined);
    const pending = notReady.filter(([, { isPending }]) => isPending);
    const isNoneReady = notReady.length === states.size;
    isSettled = !isNoneReady && (isSettled || pending.length === 0);
    const isReady = rule === 'all' ? notReady.length === 0 : isSettled;
    if (isReady) return { ready: true };
    const [name, { problem }] = (isNoneReady || rule === 'all' ? notReady : pending)[0] ?? ['', {}];
    return { ready: false, problem: `${name}: ${problem}` };
  };
}
