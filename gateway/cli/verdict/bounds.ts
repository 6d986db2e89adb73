/** The bounds of a verdict. */
import { type Bounds, DEFAULT_BOUNDS } from '../../domain/evidence/findings.ts';
import type { ModelCard } from '../../model/card.ts';
import { parseCard } from '../../model/card.ts';
import { modelPath } from '../models/model-folder.ts';
import { readCardText } from '../models/records.ts';
import type { Compared } from './report.ts';

/** The bounds of `guard` in model.yaml. Without it those of the gateway, of which agreement counts where it was measured. */
export function boundsOf(
  card: Pick<ModelCard, 'guard'> | undefined,
  { agreement }: Pick<Compared, 'agreement'>,
): Bounds {
  if (card?.guard) return card.guard;
  const { minTop1Agreement, ...others } = DEFAULT_BOUNDS;
  return agreement.total > 0 ? { ...others, minTop1Agreement } : others;
}

/** Like boundsOf, for a model that may have no model.yaml in MODELS. */
export async function boundsIn(models: string, compared: Compared): Promise<Bounds> {
  const folder = modelPath(models, compared.model);
  const text = await readCardText(folder, compared.model);
  return boundsOf(text === undefined ? undefined : parseCard(text, folder), compared);
}
