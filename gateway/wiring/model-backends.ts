/** The model servers of each model: those of TF_SERVING_HOST, or its own. */
import type { Backend } from '../domain/backend.ts';
import type { OwnBackend } from '../domain/own-limits.ts';
import type { ModelCard } from '../model/card.ts';
import type { Unreachable } from '../model/unreachable.ts';

/** `unreachable` finds the reason why none of them can be reached. */
export type Servers = { readonly backend: Backend; readonly unreachable: Unreachable };

export type ModelBackendsOptions = {
  /** For all models whose model.yaml has no backend. */
  readonly shared: Servers;
  /** Opens the client of the servers that model.yaml names. */
  readonly open: (own: OwnBackend) => Servers;
  /** Calls to servers that no model has any more may go on for so long. */
  readonly closeAfterMs: number;
};

/** Models that name the same servers share a client. */
export class ModelBackends {
  readonly #options: ModelBackendsOptions;
  readonly #own = new Map<string, Servers>();
  #cards: ReadonlyMap<string, Pick<ModelCard, 'backend'>> = new Map();

  constructor(options: ModelBackendsOptions) {
    this.#options = options;
  }

  /** The servers of a model. Opens their client at the first call. */
  of({ backend }: Pick<ModelCard, 'backend'>): Servers {
    if (!backend) return this.#options.shared;
    const servers = this.#own.get(keyOf(backend)) ?? this.#options.open(backend);
    this.#own.set(keyOf(backend), servers);
    return servers;
  }

  /** The backend of a model by its name. */
  find(model: string): Backend {
    return this.of(this.#cards.get(model) ?? {}).backend;
  }

  /** The backend whose predictions go to the servers of their model. Its look-ups go to the shared servers. */
  get predictions(): Backend {
    return {
      ...this.#options.shared.backend,
      prepare: (target, capacity) => this.find(target.servable.model).prepare(target, capacity),
      relay: (target, ...rest) => this.find(target.servable.model).relay(target, ...rest),
      predict: (target, ...rest) => this.find(target.servable.model).predict(target, ...rest),
    };
  }

  /** Sets the models. Clients that none of them uses are closed. */
  setModels(cards: ReadonlyMap<string, Pick<ModelCard, 'backend'>>): void {
    this.#cards = cards;
    const used = new Set([...cards.values()].map(({ backend }) => backend && keyOf(backend)));
    for (const [key, { backend }] of this.#own) {
      if (used.has(key)) continue;
      this.#own.delete(key);
      setTimeout(() => backend.close(), this.#options.closeAfterMs).unref();
    }
  }

  close(): void {
    for (const { backend } of this.#own.values()) backend.close();
  }
}

function keyOf({ host, protocol }: OwnBackend): string {
  return `${protocol} ${host}`;
}
