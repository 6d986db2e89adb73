/** Watches the served models, each by itself: one that is broken, busy or slow does not affect the others. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Backend } from '../domain/backend.ts';
import { createSemaphore } from '../domain/semaphore.ts';
import { acceptableFolders } from './acceptable.ts';
import { isSameModel, type ModelCard } from './card.ts';
import { Discovery } from './discovery.ts';
import type { ModelFolders } from './folders.ts';
import { createTurns } from './pace.ts';
import { ModelStates, type StatesOptions } from './states.ts';
import { WatchedModel, type WatchParts } from './watch-model.ts';

export type WatchOptions = Omit<WatchParts, 'turn' | 'checks'> &
  Omit<StatesOptions, 'isConnected'> & {
    readonly backend: Pick<Backend, 'connect'>;
    /** The servers of a model that has its own. */
    readonly serversOf: (card: ModelCard) => Pick<WatchParts, 'backend' | 'unreachable'>;
  };

/** How often unused models are forgotten, and how often a server is tried while no model is there to poll it. */
const TICK_MS = 1000;

/** Checks of versions that run at once on one server. Each sends pictures, and takes the memory of two rows. */
export const CHECKS_OF_SERVER = 8;

/** `before`: the model with its last model.yaml. It answers until a version was checked with the new one. */
type Watched = { readonly model: WatchedModel; readonly before?: WatchedModel | undefined };

/** Polls all models that have a valid model.yaml, and those that requests have named without one. */
export class ModelWatch {
  readonly states: ModelStates;
  /** The models without a model.yaml. */
  readonly discovery: Discovery;
  readonly #options: WatchOptions & Pick<WatchParts, 'turn' | 'checks'>;
  readonly #watched = new Map<string, Watched>();
  readonly #loops = new Set<Promise<void>>();
  #folders: ModelFolders = { cards: new Map(), mistakes: new Map(), others: new Map() };
  #isRunning = false;

  constructor(options: WatchOptions) {
    this.#options = { ...options, turn: createTurns(), checks: createSemaphore(CHECKS_OF_SERVER) };
    this.states = new ModelStates({ ...options, isConnected: () => options.backend.servers().length > 0 });
    this.discovery = new Discovery({ ...this.#options, run: (model) => this.#start(model) });
  }

  /** The models in use, by name. */
  get cards(): ReadonlyMap<string, ModelCard> {
    return this.#folders.cards;
  }

  /** What is known of a model's versions. */
  model(name: string): WatchedModel | undefined {
    const { model, before } = this.#watched.get(name) ?? {};
    if (!model || !before) return model;
    if (!model.isSettled) return before;
    this.#watched.set(name, { model });
    return model;
  }

  /** Watches until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.#isRunning = true;
    for (const { model } of this.#watched.values()) this.#start(model);
    while (!signal.aborted) {
      if (this.states.all.size === 0) await this.#options.backend.connect();
      this.states.checkConnection();
      this.discovery.forgetUnused();
      // A sleep fails only on abort, which the condition of the loop checks.
      await sleep(TICK_MS, undefined, { signal }).catch(() => undefined);
    }
    for (const { model } of this.#watched.values()) model.stop();
    this.discovery.stop();
    await Promise.all(this.#loops);
  }

  /**
   * Sets the models. A new or changed card is checked from the beginning; until then requests use the version that was
   * in use before. Where only its traffic has changed, it is used at once. A model that is gone is no longer watched.
   */
  setModels(folders: ModelFolders): void {
    const { cards, mistakes } = folders;
    const before = this.#folders;
    this.#folders = folders;
    for (const name of this.states.all.keys()) if (!cards.has(name)) this.#stop(name);
    for (const name of this.states.all.keys()) if (!cards.has(name) && !mistakes.has(name)) this.states.remove(name);
    for (const name of [...cards.keys(), ...mistakes.keys()]) this.discovery.forget(name);
    for (const [name, card] of cards) this.#set(name, card);
    for (const [folder, problem] of mistakes) {
      if (before.mistakes.get(folder) !== problem) this.#report(folder, problem);
    }
    for (const { name, folder } of cards.values()) this.states.setMistake(name, mistakes.get(path.basename(folder)));
  }

  /** The folders as `setModels` takes them after the first time: without cards that would leave requests without a version. */
  acceptable(folders: ModelFolders): Promise<ModelFolders> {
    return acceptableFolders(folders, (name) => this.model(name));
  }

  #set(name: string, card: ModelCard): void {
    const model = this.#watched.get(name)?.model;
    if (model?.card === card) return;
    if (model && isSameModel(model.card, card)) model.setCard(card);
    else this.#add(name, card);
  }

  #add(name: string, card: ModelCard): void {
    const last = this.model(name);
    // What is known of other servers does not hold.
    const before = isDeepStrictEqual(last?.card.backend, card.backend) ? last : undefined;
    this.#watched.get(name)?.model.stop();
    const sink = {
      isReady: () => this.states.isReady(name),
      set: (state: Parameters<ModelStates['set']>[1]) => this.states.set(name, state),
    };
    const model = new WatchedModel(card, { ...this.#options, ...this.#options.serversOf(card) }, sink);
    this.#watched.set(name, { model, before });
    this.states.add(name);
    if (this.#isRunning) this.#start(model);
  }

  #stop(name: string): void {
    this.#watched.get(name)?.model.stop();
    this.#watched.delete(name);
  }

  /** A mistake in model.yaml: the model's state, or only a warning while its last valid card is in use. */
  #report(folder: string, problem: string): void {
    const card = [...this.cards.values()].find((one) => path.basename(one.folder) === folder);
    if (!card) this.states.set(folder, { problem });
    else
      this.#options.log.warn({ model: card.name, problem }, 'model.yaml is refused; the last valid one stays in use');
  }

  #start(model: WatchedModel): void {
    const loop = model.run();
    this.#loops.add(loop);
    void loop.finally(() => this.#loops.delete(loop));
  }
}
