/** The method `integrated-gradients`: an attribution for each pixel, or for each feature of a record. */
import type { Attributed } from '../../domain/explanation.ts';
import type { Budget, ExplainMethod, PictureSubject } from '../method.ts';
import type { ExplainOptions } from '../options.ts';
import { GRADIENT_BASELINES, type GradientBaseline, pixelAttributions } from './picture.ts';
import { ofRecord } from './record.ts';
import { withoutGradients } from './signature.ts';

export const integratedGradients: ExplainMethod = {
  takes: ['picture', 'record'],
  options: ['baseline', 'steps', 'rule', 'seed'],
  baselines: GRADIENT_BASELINES,
  unavailable: withoutGradients,
  explain: (subject, options, budget) =>
    subject.kind === 'picture' ? ofPicture(subject, options, budget) : ofRecord(subject, options, budget),
};

async function ofPicture(subject: PictureSubject, options: ExplainOptions, budget: Budget): Promise<Attributed> {
  const baseline = (options.baseline ?? 'black') as GradientBaseline;
  const { sums, largest: _, ...scores } = await pixelAttributions(subject, [baseline], options, budget);
  const attributions = { kind: 'grid', rows: subject.height, columns: subject.width, values: sums } as const;
  return { attributions, baseline, ...scores };
}
