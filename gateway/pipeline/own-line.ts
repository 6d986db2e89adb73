/** The line as one model has it: with the admission and the deadline of its model.yaml. */
import { withTimeout } from '../domain/context.ts';
import type { RequestContext } from '../domain/request.ts';
import type { ModelCard } from '../model/card.ts';
import type { Stages } from './stages.ts';

type Admitting = Pick<Stages, 'admission' | 'ownAdmission'>;

/** Uses the admission and the deadline that model.yaml sets, so that a slow model does not delay other models. */
export function ownLine<Given extends Admitting>(
  stages: Given,
  card: ModelCard,
  context: RequestContext,
): { readonly stages: Given; readonly context: RequestContext } {
  const { timeoutMs } = card;
  const admission = stages.ownAdmission(card);
  return {
    stages: admission ? { ...stages, admission } : stages,
    context: timeoutMs === undefined ? context : withTimeout(context, timeoutMs),
  };
}
