/** Watches the served models: which version answers, whether it fits its model.yaml, and whether its parity is proven. */
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
 * A model server that restarts, or one look that fails, is not to take every gateway from the load balancer at once. So a
 * ready model stays ready until it was missed for so long, and more than once; predictions answer 503 of themselves.
 */
const PATIENCE_MS = 5000;
const PATIENT_LOOKS = 2;

const WITHOUT_PICTURES: Parity = {
  state: 'unproven',
  detail: 'the model takes tensors: there are no pictures to replay',
};

/** What is known of one model. It is ready exactly when there is no `problem`. */
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

/** What a look found; a problem that may pass is waited for. */
type Finding = { readonly state: ModelState; readonly mayPass: boolean };

/** How long and how often a model has been missed, since it was seen last. */
type Absence = { readonly sinceMs: number; readonly looks: number };

/** The watch over all models that have a model.yaml. */
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

  /** The version that answers when none is asked for; undefined until one is known that fits its model.yaml. */
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
    let absence: Absence | undefined;
    while (!signal.aborted) {
      const patience = AbortSignal.any([signal, AbortSignal.timeout(POLL_TIMEOUT_MS)]);
      // Whoever comes back may be another one, so it has to prove itself even if its version is the same.
      const known = absence ? undefined : this.#states.get(card.name);
      const { state, mayPass } = await this.#look(card, known, patience).then(
        (state): Finding => ({ state, mayPass: false }),
        (thrown) => this.#explain(card, thrown, patience),
      );
      if (signal.aborted) return;
      absence = mayPass ? missed(absence) : undefined;
      if (!absence || isLasting(absence) || this.#states.get(card.name)?.problem) this.#enter(card.name, state);
      else if (absence.looks === 1)
        this.#options.log.info({ model: card.name, ...state }, 'model was missed, and is waited for');
      const pauseMs = state.problem ? POLL_WAITING_MS : POLL_READY_MS;
      // The only way for a sleep to fail is the abort, which the loop's condition sees.
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #look(card: ModelCard, known: ModelState | undefined, signal: AbortSignal): Promise<ModelState> {
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

  /** Why a model could not be looked at, in words for `/health/ready`: no addresses, no library texts. */
  async #explain(card: ModelCard, thrown: unknown, signal: AbortSignal): Promise<Finding> {
    if (thrown instanceof SignatureMismatch) {
      this.#latest.delete(card.name);
      return { state: { problem: thrown.message }, mayPass: false };
    }
    const { kind, message, cause } = asGatewayError(thrown);
    if (kind === 'internal') this.#options.log.error({ cause, model: card.name }, 'the model could not be looked at');
    if (kind !== 'model_not_found') return { state: { problem: message }, mayPass: true };
    const problem = await this.#versionStates(card, signal).catch((failure) => asGatewayError(failure).message);
    return { state: { problem: problem || message }, mayPass: true };
  }

  async #versionStates({ name }: ModelCard, signal: AbortSignal): Promise<string> {
    const versions = await this.#options.backend.status(name, signal);
    // A failed load's own text holds paths; it stands in the model server's log.
    return versions
      .map(({ version, state, error }) => `version ${version} is ${state}${error && ' and failed'}`)
      .join('; ');
  }

  #enter(name: string, state: ModelState): void {
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

function missed(before: Absence | undefined): Absence {
  return { sinceMs: before?.sinceMs ?? performance.now(), looks: (before?.looks ?? 0) + 1 };
}

function isLasting({ sinceMs, looks }: Absence): boolean {
  return looks >= PATIENT_LOOKS && performance.now() - sinceMs >= PATIENCE_MS;
}
