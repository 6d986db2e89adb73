/** Finds the model that a request names. */
import { GatewayError } from '../errors.ts';
import type { ModelCard } from './card.ts';
import type { ModelStates } from './states.ts';

/** The card of the model that the request names. Without a name: the only one that takes images. */
export function findCard(
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
  return card;
}

/** The reason is that of /health/ready, which is public too. */
export function notAvailable(model: string, problem = 'no version can answer now'): GatewayError {
  return new GatewayError('model_unavailable', `The model ${model} is not available: ${problem}`);
}
