/** Selects the model version of a request: by number, by label, or the latest. */

import type { Backend } from '../domain/backend.ts';
import type { AskedServable, Metadata, Servable } from '../domain/servable.ts';
import { asGatewayError, GatewayError } from '../errors.ts';
import type { ModelCard } from './card.ts';
import { type Binding, bind } from './signatures.ts';
import type { ModelStates } from './states.ts';

export type RouteOptions = {
  /** The models in use now. */
  readonly cards: () => ReadonlyMap<string, ModelCard>;
  readonly states: Pick<ModelStates, 'all' | 'latest'>;
  readonly backend: Backend;
};

export type Route = (asked: AskedServable, signal: AbortSignal) => Promise<Binding>;

/**
 * Makes the route. It throws `invalid_request` when the request must name the model or the model takes no images,
 * `model_not_found`, `model_unavailable` with the reason, and the errors of the model server.
 */
export function createRoute({ cards, states, backend }: RouteOptions): Route {
  // Never evicted: the signature of a version does not change, and only versions that the server has loaded are added.
  const versions = new WeakMap<ModelCard, Map<number, Binding>>();

  async function pinned(card: ModelCard, servable: Servable, signal: AbortSignal): Promise<Binding> {
    const { version } = servable;
    const known = versions.get(card) ?? new Map<number, Binding>();
    versions.set(card, known);
    const found = version === undefined ? undefined : known.get(version);
    const binding = found ?? fitted(card, await metadataOf(backend, servable, signal));
    if (version !== undefined) known.set(version, binding);
    return binding;
  }

  return async (asked, signal) => {
    const card = findCard(cards(), states.all, asked.model);
    if (asked.version !== undefined || asked.label !== undefined) {
      return pinned(card, { ...asked, model: card.name }, signal);
    }
    const binding = states.latest(card.name);
    if (binding) return binding;
    throw notAvailable(card.name, states.all.get(card.name)?.problem);
  };
}

/** The reason is that of /health/ready, which is public too. */
function notAvailable(model: string, problem = 'it is not checked yet'): GatewayError {
  return new GatewayError('model_unavailable', `The model ${model} is not available: ${problem}`);
}

async function metadataOf(backend: Backend, servable: Servable, signal: AbortSignal): Promise<Metadata> {
  try {
    return await backend.metadata(servable, signal);
  } catch (cause) {
    // TF-Serving answers INVALID_ARGUMENT for an unknown label. No other argument can be invalid here.
    const unknownLabel = servable.label !== undefined && asGatewayError(cause).kind === 'internal';
    if (!unknownLabel) throw cause;
    throw new GatewayError('model_not_found', `query label: no version of ${servable.model} has this label`, { cause });
  }
}

/** The card of the model that the request names. Without a name: the only model that takes images. */
function findCard(
  cards: ReadonlyMap<string, ModelCard>,
  states: ModelStates['all'],
  model: string | undefined,
): ModelCard {
  const forImages = [...cards.values()].filter(({ image }) => image).map(({ name }) => name);
  const choice = forImages.join(', ') || 'none';
  if (model === undefined && forImages.length > 1) {
    throw new GatewayError('invalid_request', `query model: choose one of ${choice}`);
  }
  const name = model ?? forImages[0];
  if (name === undefined) throw new GatewayError('model_not_found', 'No model here takes images.');
  const card = cards.get(name);
  if (!card && states.has(name)) throw notAvailable(name, states.get(name)?.problem);
  if (!card) throw new GatewayError('model_not_found', `query model: no such model; for images there are ${choice}`);
  if (card.image) return card;
  throw new GatewayError('invalid_request', `query model: ${name} takes tensors, not images; for images: ${choice}`);
}

function fitted(card: ModelCard, metadata: Metadata): Binding {
  try {
    return bind(card, metadata);
  } catch (cause) {
    throw new GatewayError('model_unavailable', 'The version does not fit its model.yaml.', { cause });
  }
}
