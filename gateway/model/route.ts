/** Selects the version of a request, and the servers that have it. Only versions that were checked may answer. */
import { isDeepStrictEqual } from 'node:util';
import type { AskedServable } from '../domain/servable.ts';
import type { VersionName } from '../domain/traffic.ts';
import { GatewayError } from '../errors.ts';
import type { ModelCard } from './card.ts';
import type { Discovery } from './discovery.ts';
import { findCard, noSuchModel, notAvailable } from './find-card.ts';
import { type Context, halfTime } from './half-time.ts';
import { type Asked, known, labelled, numbered, type Routed, unnamed } from './select-version.ts';
import type { Binding } from './signatures.ts';
import type { ModelStates } from './states.ts';
import type { WatchedModel } from './watch-model.ts';

export type { Routed };

/** What a request with pictures needs of a version. Throws `invalid_request` for a model that takes tensors. */
export function bindingOf({ card, binding }: Routed): Binding {
  if (binding) return binding;
  throw new GatewayError('invalid_request', `model: ${card.name} takes records as JSON, not images`);
}

type RoutedModel = Pick<WatchedModel, 'labels' | 'splits' | 'versions' | 'look'>;

export type RouteOptions = {
  /** The models in use now. */
  readonly cards: () => ReadonlyMap<string, ModelCard>;
  readonly states: Pick<ModelStates, 'all'>;
  /** What is known of the versions of a model with a model.yaml. */
  readonly model: (name: string) => RoutedModel | undefined;
  /** The models without a model.yaml. */
  readonly discovery: Pick<Discovery, 'find' | 'states'>;
  /** The model of requests that name none. Unset: the only one. */
  readonly defaultName?: string | undefined;
  /** The servers of a model that are connected now. */
  readonly connected: (model: string) => readonly string[];
  /** Whether the canary of a model has lost its share. Unset: there is no guard. */
  readonly isWithdrawn?: (card: ModelCard) => boolean;
};

export type Route = {
  /**
   * Throws `invalid_request` when the request must name the model, `model_not_found`, `model_unavailable` with the reason,
   * and `version_not_proven`.
   */
  resolve(asked: AskedServable, context: Context): Promise<Routed>;
  /**
   * Selects again, after a model server has contradicted what was known. Looks at the servers first. Throws `error` where
   * another try would be the same call.
   */
  again(error: GatewayError, failed: Routed, asked: AskedServable, context: Context): Promise<Routed>;
  /**
   * A version of a model with a model.yaml, for copies of requests: as it is known now. Without a name the stable one. Undefined
   * while it cannot answer.
   */
  known(model: string, version: VersionName | undefined): Promise<Routed | undefined>;
};

export function createRoute(options: RouteOptions): Route {
  const { cards, states, model: find, discovery, defaultName, connected, isWithdrawn = () => false } = options;

  async function modelOf({ model: name = defaultName }: AskedServable): Promise<Asked> {
    const card = findCard(cards(), states.all, name);
    if (!card) return discovered(name ?? '');
    const unavailable = () => notAvailable(card.name, states.all.get(card.name)?.problem);
    const model = find(card.name);
    if (!model) throw unavailable();
    return { card, versions: model.versions, model, unavailable, isWithdrawn };
  }

  async function discovered(name: string): Promise<Asked> {
    const model = await discovery.find(name);
    if (!model) throw noSuchModel(cards());
    const unavailable = () => notAvailable(name, discovery.states.get(name)?.problem);
    return { card: model.card, versions: model.versions, model, unavailable, isWithdrawn };
  }

  async function resolve(asked: AskedServable, context: Context): Promise<Routed> {
    const found = await modelOf(asked);
    const { label, version } = asked;
    if (label !== undefined) return numbered(found, await labelled(found.model, label), context);
    return version === undefined ? unnamed(found, context) : numbered(found, version, context);
  }

  return {
    resolve,
    async known(name, version) {
      const card = cards().get(name);
      const model = find(name);
      return card && model && known({ card, model, versions: model.versions }, version);
    },
    async again(error, failed, asked, context) {
      const { model } = await modelOf(asked);
      // The call was tried on each of its servers. If no others are connected, this is an outage.
      const isElsewhere = connected(failed.card.name).some((server) => !failed.servers.has(server));
      if (error.kind === 'model_unavailable' && !isElsewhere) throw error;
      if (asked.label !== undefined) model.labels.forget(asked.label);
      await model.look({ isOutdated: true, over: halfTime(context) });
      const next = await resolve(asked, context);
      // After NOT_FOUND the balancer goes to another server.
      if (error.kind !== 'model_not_found' && isDeepStrictEqual(next, failed)) throw error;
      return next;
    },
  };
}
