/** Finds the model that a request names. */
import { GatewayError } from '../errors.ts';
import type { ModelCard } from './card.ts';
import type { ModelStates } from './states.ts';

/**
 * The card of the model that the request names. Without a name: the only one that takes images, else the only one. Undefined
 * for a name that no model.yaml has.
 */
export function findCard(
  cards: ReadonlyMap<string, ModelCard>,
  states: ModelStates['all'],
  name: string | undefined,
): ModelCard | undefined {
  if (name === undefined) return onlyCard([...cards.values()]);
  const card = cards.get(name);
  if (!card && states.has(name)) throw notAvailable(name, states.get(name)?.problem);
  return card;
}

function onlyCard(cards: readonly ModelCard[]): ModelCard {
  const forImages = cards.filter(({ image }) => image);
  const [first, ...others] = forImages.length > 0 ? forImages : cards;
  if (first && others.length === 0) return first;
  const choice = [first, ...others].flatMap((card) => card?.name ?? []).join(', ');
  throw new GatewayError('invalid_request', `model: ${choice ? `choose one of ${choice}` : 'name the model'}`);
}

/** The error for a name that neither a model.yaml nor a model server has. */
export function noSuchModel(cards: ReadonlyMap<string, ModelCard>): GatewayError {
  const choice = [...cards.keys()].join(', ') || 'none with a model.yaml';
  return new GatewayError('model_not_found', `model: no such model; there are ${choice}`);
}

/** The reason is that of /health/ready, which is public too. */
export function notAvailable(model: string, problem = 'no version can answer now'): GatewayError {
  return new GatewayError('model_unavailable', `The model ${model} is not available: ${problem}`);
}
