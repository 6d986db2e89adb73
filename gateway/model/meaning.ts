/** How the outputs of a version are read, by model.yaml. */
import type { Meaning } from '../domain/meaning.ts';
import { usualSignature } from './find-signature.ts';
import type { Routed } from './select-version.ts';
import { tableOf } from './table.ts';

/** What model.yaml says of the outputs of a signature. Nothing of other signatures than its own. */
export function meaningOf(
  { card, metadata, binding }: Pick<Routed, 'card' | 'metadata' | 'binding'>,
  signature: string,
): Meaning {
  if (binding) {
    const { classes, scores: gives } = binding.card;
    const isOwn = signature === binding.signature || signature === card.signature;
    return isOwn ? { scores: { output: binding.output, classes, gives } } : {};
  }
  if (card.isDiscovered || card.image || signature !== usualSignature(card, metadata)) return {};
  const { scores, decision } = tableOf(card, metadata);
  return { ...(scores && { scores }), decision };
}
