/** Watches the served models: the latest version, whether it matches its model.yaml, whether its parity is proven. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend } from '../domain/backend.ts';
import type { Log } from '../domain/request.ts';
import { asGatewayError } from '../errors.ts';
import type { ModelCard } from './card.ts';
import type { Parity } from './parity.ts';
import { type Binding, bind, findSignature, SignatureMismatch } from './signatures.ts';

const POLL_READY_MS = 2000;
const POLL_WAITING_MS = 250;
const POLL_TIMEOUT_MS = 5000;

/**
 * A ready model stays ready until polls have failed for this long, and at least this often. Otherwise a restart of the
 * model server, or one failed poll, would take every gateway out of the load balancer at once. Meanwhile predictions
 * answer 503.
 */
const GRACE_MS = 5000;
const GRACE_POLLS = 2;

const WITHOUT_PICTURES: Parity = {
  state: 'unproven',
  detail: 'the model takes tensors: there are no pictures to replay',
};

/** The state of one model. It is ready when it has no `problem`. */
export type ModelState = {
  readonly version?: number;
  readonly parity?: Parity;
  readonly problem?: string;
};

export type WatchOptions = {
  readonly cards: ReadonlyMap<string, ModelCard>;
  readonly backend: Backend;
  readonly prove: (binding: Binding, signal: AbortSignal) => Promise<Parity>;
  readonly log: Log;
  readonly onChange: (model: string, state: ModelState) => void;
};

/** The result of a poll. `isTemporary`: the problem may go away, so the grace period applies. */
type Poll = { readonly state: ModelState; readonly isTemporary: boolean };

/** The failed polls of a model since the last one that succeeded. */
type Outage = { readonly sinceMs: number; readonly polls: number };

/** Polls all models that have a model.yaml. */
export class ModelWatch {
  readonly #options: WatchOptions;
  readonly #states: Map<string, ModelState>;
  readonly #latest = new Map<string, Binding>();
  readonly #ready = Promise.withResolvers<void>();

  constructor(options: WatchOptions) {
    this.#options = options;
    const unknown = { problem: 'the model server has not been asked yet' };
    this.#states = new Map([...options.cards.keys()].map((name) => [name, unknown]));
  }

  get states(): ReadonlyMap<string, ModelState> {
    return this.#states;
  }

  /** The version for requests that name none. Undefined until a version matches its model.yaml. */
  latest(model: string): Binding | undefined {
    return this.#latest.get(model);
  }

  /** Resolves when every model is ready for the first time. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Watches until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#options.cards.values()].map((card) => this.#watchOne(card, signal)));
  }

  async #watchOne(card: ModelCard, signal: AbortSignal): Promise<void> {
    let outage: Outage | undefined;
    while (!signal.aborted) {
      const pollSignal = AbortSignal.any([signal, AbortSignal.timeout(POLL_TIMEOUT_MS)]);
      // After an outage the server may hold other weights under the same version: prove parity again.
      const known = outage ? undefined : this.#states.get(card.name);
      const { state, isTemporary } = await this.#poll(card, known, pollSignal).then(
        (state): Poll => ({ state, isTemporary: false }),
        (thrown) => this.#failedPoll(card, thrown, pollSignal),
      );
      if (signal.aborted) return;
      outage = isTemporary ? afterFailedPoll(outage) : undefined;
      if (!outage || isOverGrace(outage) || this.#states.get(card.name)?.problem) this.#setState(card.name, state);
      else if (outage.polls === 1)
        this.#options.log.info({ model: card.name, ...state }, 'a poll of the model failed; it stays ready for now');
      const pauseMs = state.problem ? POLL_WAITING_MS : POLL_READY_MS;
      // A sleep fails only on abort, which the condition of the loop checks.
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #poll(card: ModelCard, known: ModelState | undefined, signal: AbortSignal): Promise<ModelState> {
    const { backend, prove } = this.#options;
    const metadata = await backend.metadata({ model: card.name }, signal);
    if (known?.version === metadata.version) return known;
    const { version } = metadata;
    if (!card.image) {
      findSignature(card, metadata);
      return { version, parity: WITHOUT_PICTURES };
    }
    const binding = bind(card, metadata);
    const parity = await prove(binding, signal);
    this.#latest.set(card.name, binding);
    return {
      version,
      parity,
      ...(parity.state === 'differing' && { problem: `parity is differing: ${parity.detail}` }),
    };
  }

  /**
   * The state after a failed poll. Its text is shown at `/health/ready`, so it has no addresses and no library texts.
   */
  async #failedPoll(card: ModelCard, thrown: unknown, signal: AbortSignal): Promise<Poll> {
    if (thrown instanceof SignatureMismatch) {
      this.#latest.delete(card.name);
      return { state: { problem: thrown.message }, isTemporary: false };
    }
    const { kind, message, cause } = asGatewayError(thrown);
    if (kind === 'internal') this.#options.log.error({ cause, model: card.name }, 'a poll of the model failed');
    if (kind !== 'model_not_found') return { state: { problem: message }, isTemporary: true };
    const problem = await this.#versionStates(card, signal).catch((failure) => asGatewayError(failure).message);
    return { state: { problem: problem || message }, isTemporary: true };
  }

  async #versionStates({ name }: ModelCard, signal: AbortSignal): Promise<string> {
    const versions = await this.#options.backend.status(name, signal);
    // The server's own error text may contain paths. It is in the model server's log.
    return versions
      .map(({ version, state, error }) => `version ${version} is ${state}${error && ' and failed'}`)
      .join('; ');
  }

  #setState(name: string, state: ModelState): void {
    const before = this.#states.get(name);
    this.#states.set(name, state);
    if (before?.problem === state.problem && before?.version === state.version) return;
    const { log, onChange } = this.#options;
    onChange(name, state);
    if (state.problem) log.warn({ model: name, ...state }, 'model is not ready');
    else log.info({ model: name, ...state }, 'model is ready');
    if ([...this.#states.values()].every(({ problem }) => !problem)) this.#ready.resolve();
  }
}

function afterFailedPoll(before: Outage | undefined): Outage {
  return { sinceMs: before?.sinceMs ?? performance.now(), polls: (before?.polls ?? 0) + 1 };
}

function isOverGrace({ sinceMs, polls }: Outage): boolean {
  return polls >= GRACE_POLLS && performance.now() - sinceMs >= GRACE_MS;
}
