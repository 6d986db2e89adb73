/** Models without a model.yaml: found at the model servers when a request names them, and served as tensors. */
import { performance } from 'node:perf_hooks';
import type { Backend } from '../domain/backend.ts';
import type { Log } from '../domain/request.ts';
import type { VersionStatus } from '../domain/servable.ts';
import { asGatewayError } from '../errors.ts';
import { cardWithoutFile, type ModelCard } from './card.ts';
import { limitLookUps } from './look-up-rate.ts';
import type { ModelState } from './state.ts';
import { WatchedModel, type WatchParts } from './watch-model.ts';

/** Each of them is polled, like a model with a model.yaml. */
const MAX_MODELS = 64;
/** A model that no request names for so long is forgotten. */
const UNUSED_MS = 10 * 60_000;
/** For so long a name that no server has is not looked up again. */
const UNKNOWN_MS = 1000;
const MAX_UNKNOWN = 1000;
/** How long a look-up may take. The requests that share it wait. */
const LOOK_UP_MS = 3000;
/** As in model.yaml. A path or an address is no name. */
const NAME = /^[\w.-]{1,200}$/;

/** `run` watches the model until it is stopped. */
export type DiscoveryParts = WatchParts & {
  readonly run: (model: WatchedModel) => void;
  readonly log: Log;
};

type Discovered = { readonly model: WatchedModel; state: ModelState; usedMs: number };

const UNCHECKED: ModelState = { problem: 'the first check of the model has not ended', isPending: true };

/** The discovered models. They do not count for the readiness of the gateway. */
export class Discovery {
  readonly #parts: DiscoveryParts;
  readonly #models = new Map<string, Discovered>();
  readonly #searches = new Map<string, Promise<WatchedModel | undefined>>();
  /** Until when a name is known to be at no server. */
  readonly #unknown = new Map<string, number>();
  readonly #countLookUp = limitLookUps();

  constructor(parts: DiscoveryParts) {
    this.#parts = parts;
  }

  /** The states by the model's name. */
  get states(): ReadonlyMap<string, ModelState> {
    return new Map([...this.#models].map(([name, { state }]) => [name, state]));
  }

  get cards(): ReadonlyMap<string, ModelCard> {
    return new Map([...this.#models].map(([name, { model }]) => [name, model.card]));
  }

  /** A model that was discovered before. */
  get(name: string): WatchedModel | undefined {
    return this.#models.get(name)?.model;
  }

  /**
   * Finds a model that a request names. An unknown one is looked up once at each connected server; requests at the same time
   * share it. Undefined: no server has it. Throws `overloaded` above the rate of look-ups, and the errors of the look-up.
   */
  async find(name: string): Promise<WatchedModel | undefined> {
    const known = this.#models.get(name);
    if (known) {
      known.usedMs = performance.now();
      return known.model;
    }
    if (!NAME.test(name) || (this.#unknown.get(name) ?? 0) > performance.now()) return undefined;
    const search = this.#searches.get(name) ?? this.#search(name);
    this.#searches.set(name, search);
    return await search.finally(() => this.#searches.delete(name));
  }

  /** Stops watching a model. */
  forget(name: string): void {
    this.#models.get(name)?.model.stop();
    this.#models.delete(name);
  }

  /** Forgets the models that were not used for long. */
  forgetUnused(): void {
    const sinceMs = performance.now() - UNUSED_MS;
    for (const [name, { usedMs }] of this.#models) if (usedMs < sinceMs) this.forget(name);
  }

  stop(): void {
    for (const name of this.#models.keys()) this.forget(name);
  }

  async #search(name: string): Promise<WatchedModel | undefined> {
    this.#countLookUp();
    if (await hasModel(this.#parts.backend, name)) return this.#add(name);
    const [oldest] = this.#unknown.keys();
    if (oldest !== undefined && this.#unknown.size >= MAX_UNKNOWN) this.#unknown.delete(oldest);
    this.#unknown.set(name, performance.now() + UNKNOWN_MS);
    return undefined;
  }

  #add(name: string): WatchedModel {
    if (this.#models.size >= MAX_MODELS) this.#forgetOldest();
    const sink = {
      isReady: () => this.#models.get(name)?.state.problem === undefined,
      set: (state: ModelState) => this.#setState(name, model, state),
    };
    const model = new WatchedModel(cardWithoutFile(name), this.#parts, sink);
    this.#models.set(name, { model, state: UNCHECKED, usedMs: performance.now() });
    this.#parts.log.info({ model: name }, 'a model without model.yaml was found; it is served as tensors');
    this.#parts.run(model);
    return model;
  }

  /** A model that the servers do not have any more is forgotten. */
  #setState(name: string, model: WatchedModel, state: ModelState): void {
    const known = this.#models.get(name);
    if (known?.model !== model) return;
    const servers = [...model.versions.servers.values()];
    const isGoneAt = ({ failure, statuses }: (typeof servers)[number]) =>
      failure ? failure.kind === 'model_not_found' : !isServed(statuses);
    if (servers.length > 0 && servers.every(isGoneAt)) this.forget(name);
    else known.state = state;
  }

  #forgetOldest(): void {
    const [oldest] = [...this.#models].sort(([, one], [, other]) => one.usedMs - other.usedMs);
    if (oldest) this.forget(oldest[0]);
  }
}

/** Whether a connected server has the model. Throws the first other failure, where none has it. */
async function hasModel(backend: Pick<Backend, 'servers' | 'status'>, name: string): Promise<boolean> {
  const connected = backend.servers();
  const signal = AbortSignal.timeout(LOOK_UP_MS);
  // Without a connection any call starts one.
  const lookUps = (connected.length === 0 ? [undefined] : connected).map((server) =>
    backend.status(name, signal, server),
  );
  const results = await Promise.allSettled(lookUps);
  if (results.some((result) => result.status === 'fulfilled' && isServed(result.value))) return true;
  const failures = results.flatMap((result) => (result.status === 'rejected' ? asGatewayError(result.reason) : []));
  const failure = failures.find(({ kind }) => kind !== 'model_not_found');
  if (failure) throw failure;
  return false;
}

/** Whether a version is served, or will be. A server keeps the versions that it has unloaded in its list. */
function isServed(statuses: readonly VersionStatus[]): boolean {
  return statuses.some(({ state }) => state !== 'END');
}
