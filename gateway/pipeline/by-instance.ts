/** The version by the id of the first instance, which is known only once the body is read. */
import { isDeepStrictEqual } from 'node:util';
import type { RequestContext } from '../domain/request.ts';
import type { AskedServable } from '../domain/servable.ts';
import type { Routed } from '../model/route.ts';
import { type GivenIds, givenIdOf } from './given-ids.ts';
import type { Stages } from './stages.ts';

export type ReadRequest = {
  readonly servable: AskedServable;
  /** The version by whose signature the body was read. */
  readonly routed: Routed;
  readonly signature: string | undefined;
  readonly ids?: GivenIds | undefined;
};

/**
 * Selects the version again where model.yaml splits by `instance id`. `context` has the id, for every later selection. A version
 * with another signature cannot take what was read: the request stays where it is.
 */
export async function routeByInstance(
  { route }: Pick<Stages, 'route'>,
  { servable, routed, signature, ids }: ReadRequest,
  context: RequestContext,
): Promise<{ readonly routed: Routed; readonly context: RequestContext }> {
  const { card, role } = routed;
  if (role === 'named' || card.traffic?.sticky?.from !== 'instance') return { routed, context };
  const instanceId = givenIdOf(ids, 0, card.record?.id) ?? null;
  const known = { ...context, times: context.times, sent: { ...context.sent, instanceId } };
  const chosen = await route.resolve(servable, known);
  return { routed: hasSameForm(chosen, routed, signature) ? chosen : routed, context: known };
}

function hasSameForm(one: Routed, other: Routed, signature: string | undefined): boolean {
  const formOf = ({ metadata, binding }: Routed) =>
    signature === undefined ? binding?.image : metadata.signatures.get(signature);
  return isDeepStrictEqual(formOf(one), formOf(other));
}
