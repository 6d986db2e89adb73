/** Predicts with a version that is known, and is admitted for it. */
import type { RequestContext } from '../domain/request.ts';
import type { AskedServable } from '../domain/servable.ts';
import { asGatewayError } from '../errors.ts';
import type { Routed } from '../model/route.ts';
import type { Stages } from './stages.ts';

/** How often a request is sent where the model server contradicts what was known of it. */
const MAX_TRIES = 3;

export type Known = {
  readonly servable: AskedServable;
  readonly routed: Routed;
  /** What admission counts. */
  readonly images: number;
};

/**
 * Runs `predict` with the version. Where the server contradicts what is known (the version is unloaded, or its tensors have
 * other names), the version is selected and the request admitted again.
 */
export async function predictKnown<T>(
  { route, admission }: Pick<Stages, 'route' | 'admission'>,
  { servable, routed: first, images }: Known,
  context: RequestContext,
  predict: (routed: Routed, atOnce: number) => Promise<T>,
): Promise<T> {
  let routed = first;
  for (let tries = 1; ; tries += 1) {
    const current = routed;
    try {
      return await admission.admit(context, images, (atOnce) => predict(current, atOnce));
    } catch (thrown) {
      const error = asGatewayError(thrown);
      if (!error.isOutdated || tries === MAX_TRIES) throw thrown;
      routed = await route.again(error, routed, servable, context);
      context.note({ version: routed.version });
    }
  }
}
