/** The states of all models, and whether the gateway is ready. */
import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../domain/request.ts';
import { createReadiness, type Readiness, type ReadyWhen } from './readiness.ts';
import type { ModelState } from './state.ts';
import { tellChange } from './tell-change.ts';

const UNCHECKED: ModelState = { problem: 'the first check of the model has not ended', isPending: true };

export type StatesOptions = {
  readonly readyWhen: ReadyWhen;
  readonly log: Log;
  /** `state` is undefined for a model that was removed. */
  readonly onChange: (model: string, state: ModelState | undefined) => void;
  /** Whether a model server is connected: it decides where there is no model.yaml. */
  readonly isConnected: () => boolean;
};

/** Holds the states, and logs their changes. */
export class ModelStates {
  readonly #log: Log;
  readonly #onChange: StatesOptions['onChange'];
  readonly #isConnected: () => boolean;
  readonly #judge: ReturnType<typeof createReadiness>;
  readonly #states = new Map<string, ModelState>();
  readonly #mistakes = new Map<string, string>();
  readonly #ready = Promise.withResolvers<void>();
  #readiness: Readiness;

  constructor({ readyWhen, log, onChange, isConnected }: StatesOptions) {
    this.#log = log;
    this.#onChange = onChange;
    this.#isConnected = isConnected;
    this.#judge = createReadiness(readyWhen);
    this.#readiness = this.#judge(this.#states);
  }

  /** By the model's name, or by its folder's where model.yaml has mistakes. */
  get all(): ReadonlyMap<string, ModelState> {
    return this.#states;
  }

  get readiness(): Readiness {
    if (this.#states.size > 0) return this.#readiness;
    return this.#isConnected() ? { ready: true } : { ready: false, problem: 'no model server is connected' };
  }

  /** Resolves when the gateway is ready for the first time. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  isReady(name: string): boolean {
    const state = this.#states.get(name);
    return state !== undefined && state.problem === undefined;
  }

  /** Adds a model that is to be checked. A ready one stays ready until then. */
  add(name: string): void {
    if (this.isReady(name)) return;
    this.#states.set(name, UNCHECKED);
    this.#update();
    this.#onChange(name, UNCHECKED);
  }

  set(name: string, given: ModelState): void {
    const mistake = this.#mistakes.get(name);
    const state = { ...given, ...(mistake !== undefined && { mistake }) };
    const before = this.#states.get(name);
    this.#states.set(name, state);
    // The rule looks at all models: with thousands, after each poll would be too often.
    if (before?.problem !== state.problem || before?.isPending !== state.isPending) this.#update();
    if (isDeepStrictEqual(before, state)) return;
    this.#onChange(name, state);
    tellChange(this.#log, name, before, state);
  }

  /** Why the newest model.yaml of a model is refused while the last valid one is in use. Undefined: it is not. */
  setMistake(name: string, mistake: string | undefined): void {
    const before = this.#mistakes.get(name);
    if (mistake === before) return;
    if (mistake === undefined) this.#mistakes.delete(name);
    else this.#mistakes.set(name, mistake);
    const { mistake: _, ...state } = this.#states.get(name) ?? UNCHECKED;
    this.set(name, state);
  }

  remove(name: string): void {
    this.#mistakes.delete(name);
    if (!this.#states.delete(name)) return;
    this.#update();
    this.#onChange(name, undefined);
    this.#log.info({ model: name }, 'model was removed');
  }

  /** Without a model.yaml, the gateway may be ready since the last check. */
  checkConnection(): void {
    if (this.readiness.ready) this.#ready.resolve();
  }

  #update(): void {
    this.#readiness = this.#judge(this.#states);
    this.checkConnection();
  }
}
