/** Watches the served models, each by itself: one that is broken, busy or slow does not affect the others. */
import type { ModelCard } from './card.ts';
import type { ModelFolders } from './folders.ts';
import type { PollParts } from './poll.ts';
import { ModelStates, type StatesOptions } from './states.ts';
import { watchModel } from './watch-model.ts';

export type WatchOptions = PollParts & StatesOptions;

type Watched = { readonly card: ModelCard; readonly stop: AbortController };

/** Polls all models that have a valid model.yaml. */
export class ModelWatch {
  readonly states: ModelStates;
  readonly #options: WatchOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #loops = new Set<Promise<void>>();
  #folders: ModelFolders = { cards: new Map(), mistakes: new Map() };
  #signal: AbortSignal | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.states = new ModelStates(options);
  }

  /** The models in use, by name. */
  get cards(): ReadonlyMap<string, ModelCard> {
    return this.#folders.cards;
  }

  /** Watches until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    for (const watched of this.#watched.values()) this.#start(watched, signal);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.all(this.#loops);
  }

  /**
   * Sets the models. A new or changed card is checked from the beginning; until then requests use the version that was
   * in use before. A model that is gone is no longer watched.
   */
  setModels(folders: ModelFolders): void {
    const { cards, mistakes } = folders;
    const before = this.#folders;
    this.#folders = folders;
    for (const name of this.states.all.keys()) if (!cards.has(name)) this.#stop(name);
    for (const name of this.states.all.keys()) if (!cards.has(name) && !mistakes.has(name)) this.states.remove(name);
    for (const [name, card] of cards) if (this.#watched.get(name)?.card !== card) this.#add(name, card);
    for (const [folder, problem] of mistakes) {
      if (before.mistakes.get(folder) !== problem) this.#report(folder, problem);
    }
  }

  #add(name: string, card: ModelCard): void {
    this.#watched.get(name)?.stop.abort();
    const watched = { card, stop: new AbortController() };
    this.#watched.set(name, watched);
    this.states.add(name);
    if (this.#signal) this.#start(watched, this.#signal);
  }

  #stop(name: string): void {
    this.#watched.get(name)?.stop.abort();
    this.#watched.delete(name);
    this.states.use(name, undefined);
  }

  /** A mistake in model.yaml: the model's state, or only a warning while its last valid card is in use. */
  #report(folder: string, problem: string): void {
    if (!this.cards.has(folder)) this.states.set(folder, { problem });
    else this.#options.log.warn({ model: folder, problem }, 'model.yaml has mistakes; the last valid one stays in use');
  }

  #start({ card, stop }: Watched, signal: AbortSignal): void {
    const loop = watchModel(card, this.states, this.#options, AbortSignal.any([signal, stop.signal]));
    this.#loops.add(loop);
    void loop.finally(() => this.#loops.delete(loop));
  }
}
