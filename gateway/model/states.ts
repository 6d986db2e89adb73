/** The states of all models: what is known of each, the version in use, and whether the gateway is ready. */
import type { Log } from '../domain/request.ts';
import { createReadiness, type Readiness, type ReadyWhen } from './readiness.ts';
import type { Binding } from './signatures.ts';
import type { ModelState } from './state.ts';

const UNCHECKED: ModelState = { problem: 'the first check of the model has not ended', isPending: true };

export type StatesOptions = {
  readonly readyWhen: ReadyWhen;
  readonly log: Log;
  /** `state` is undefined for a model that was removed. */
  readonly onChange: (model: string, state: ModelState | undefined) => void;
};

/** Holds the states, and logs their changes. */
export class ModelStates {
  readonly #log: Log;
  readonly #onChange: StatesOptions['onChange'];
  readonly #judge: ReturnType<typeof createReadiness>;
  readonly #states = new Map<string, ModelState>();
  readonly #latest = new Map<string, Binding>();
  readonly #ready = Promise.withResolvers<void>();
  #readiness: Readiness;

  constructor({ readyWhen, log, onChange }: StatesOptions) {
    this.#log = log;
    this.#onChange = onChange;
    this.#judge = createReadiness(readyWhen);
    this.#readiness = this.#judge(this.#states);
  }

  /** By the model's name, or by its folder's where model.yaml has mistakes. */
  get all(): ReadonlyMap<string, ModelState> {
    return this.#states;
  }

  get readiness(): Readiness {
    return this.#readiness;
  }

  /** Resolves when the gateway is ready for the first time. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  isReady(name: string): boolean {
    const state = this.#states.get(name);
    return state !== undefined && state.problem === undefined;
  }

  /** The version for requests that name none. Undefined until a version matches its model.yaml and its parity. */
  latest(name: string): Binding | undefined {
    return this.#latest.get(name);
  }

  /** Sets the version for requests that name none. */
  use(name: string, binding: Binding | undefined): void {
    if (binding) this.#latest.set(name, binding);
    else this.#latest.delete(name);
  }

  /** Adds a model that is to be checked. A ready one stays ready until then. */
  add(name: string): void {
    if (this.isReady(name)) return;
    this.#states.set(name, UNCHECKED);
    this.#update();
    this.#onChange(name, UNCHECKED);
  }

  set(name: string, state: ModelState): void {
    const before = this.#states.get(name);
    this.#states.set(name, state);
    this.#update();
    if (before?.problem === state.problem && before?.version === state.version) return;
    this.#onChange(name, state);
    const { problem, detail, isPending, ...version } = state;
    const fields = { model: name, problem, ...version };
    // The details of a pending model are those of the model server, which are logged once for all models.
    if (isPending) this.#log.info(fields, 'model is not ready yet');
    else if (problem) this.#log.warn({ ...fields, detail }, 'model is not ready');
    else this.#log.info(fields, 'model is ready');
  }

  remove(name: string): void {
    this.#latest.delete(name);
    if (!this.#states.delete(name)) return;
    this.#update();
    this.#onChange(name, undefined);
    this.#log.info({ model: name }, 'model was removed');
  }

  #update(): void {
    this.#readiness = this.#judge(this.#states);
    if (this.#readiness.ready) this.#ready.resolve();
  }
}
