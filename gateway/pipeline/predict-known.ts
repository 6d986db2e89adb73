/** Predicts with a version that is known, and is admitted for it. */
import type { RequestContext } from '../domain/request.ts';
import type { AskedServable } from '../domain/servable.ts';
import { asGatewayError } from '../errors.ts';
import type { Routed } from '../model/route.ts';
import type { Stages } from './stages.ts';
import { isFault, type VersionOutcome } from './version-outcome.ts';

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
  { route, admission, onOutcome }: Pick<Stages, 'route' | 'admission' | 'onOutcome'>,
  { servable, routed: first, images }: Known,
  context: RequestContext,
  predict: (routed: Routed, atOnce: number) => Promise<T>,
): Promise<T> {
  let routed = first;
  const ended = (outcome: VersionOutcome['outcome']) => {
    const predictMs = routed === first ? context.times.get('predict') : undefined;
    onOutcome?.({ routed, outcome, predictMs }, context);
  };
  try {
    for (let tries = 1; ; tries += 1) {
      const current = routed;
      noteVersion(current, context);
      try {
        const predicted = await admission.admit(context, images, (atOnce) => predict(current, atOnce));
        ended('ok');
        return predicted;
      } catch (thrown) {
        const error = asGatewayError(thrown);
        if (!error.isOutdated || tries === MAX_TRIES) throw thrown;
        routed = await route.again(error, routed, servable, context);
      }
    }
  } catch (thrown) {
    if (isFault(thrown)) ended('error');
    throw thrown;
  }
}

function noteVersion({ version, card, role }: Routed, context: RequestContext): void {
  context.note({ version, traffic: card.traffic && role });
}
