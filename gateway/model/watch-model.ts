/** Watches one model: polls it, and keeps its state and its version in use. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelCard } from './card.ts';
import { type Poll, type PollParts, pollModel } from './poll.ts';
import type { ModelStates } from './states.ts';

const POLL_READY_MS = 2000;
const POLL_WAITING_MS = 250;

/**
 * A ready model stays ready until polls have failed for this long, and at least this often. Otherwise a restart of the
 * model server, or one failed poll, would take every gateway out of the load balancer at once. Meanwhile predictions
 * answer 503.
 */
const GRACE_MS = 5000;
const GRACE_POLLS = 2;

/** The failed polls of a model since the last one that succeeded. */
type Outage = { readonly sinceMs: number; readonly polls: number };

/** Watches until the signal is aborted. Writes the model's state to `states`. */
export async function watchModel(
  card: ModelCard,
  states: ModelStates,
  parts: PollParts,
  signal: AbortSignal,
): Promise<void> {
  const { name } = card;
  let outage: Outage | undefined;
  let knownVersion: number | undefined;
  const onProof = (version: number) => {
    const problem = `version ${version} is being checked`;
    if (!states.isReady(name)) states.set(name, { problem, isPending: true });
  };
  while (!signal.aborted) {
    const poll = await pollModel(parts, { card, knownVersion, signal, onProof });
    if (signal.aborted) return;
    outage = poll.kind === 'lost' ? afterFailedPoll(outage) : undefined;
    // After an outage the server may hold other weights under the same version: prove parity again.
    if (poll.kind === 'verdict') knownVersion = poll.state.version;
    if (poll.kind === 'lost') knownVersion = undefined;
    apply(name, states, poll, outage);
    if (outage?.polls === 1 && states.isReady(name))
      parts.log.info({ model: name, poll }, 'a poll of the model failed; it stays ready for now');
    const pauseMs = states.isReady(name) || poll.kind === 'busy' ? POLL_READY_MS : POLL_WAITING_MS;
    // A sleep fails only on abort, which the condition of the loop checks.
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Applies a poll. A busy server does not change a ready model; a lost one does after the grace period. */
function apply(name: string, states: ModelStates, poll: Poll, outage: Outage | undefined): void {
  if (poll.kind === 'same') return;
  if (poll.kind === 'verdict') {
    states.use(name, poll.binding);
    states.set(name, poll.state);
  } else if (!states.isReady(name) || (outage && isOverGrace(outage))) {
    states.set(name, poll.state);
  }
}

function afterFailedPoll(before: Outage | undefined): Outage {
  return { sinceMs: before?.sinceMs ?? performance.now(), polls: (before?.polls ?? 0) + 1 };
}

function isOverGrace({ sinceMs, polls }: Outage): boolean {
  return polls >= GRACE_POLLS && performance.now() - sinceMs >= GRACE_MS;
}
