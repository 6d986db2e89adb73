/** The method `xrai`: regions of a picture in the order of their importance, by the integrated gradients of their pixels. */
import type { Attributed } from '../../domain/explanation.ts';
import { inTurns } from '../../domain/steps.ts';
import type { Budget, ExplainMethod, PictureSubject } from '../method.ts';
import type { ExplainOptions } from '../options.ts';
import { masksOf } from './masks.ts';
import { GRADIENT_BASELINES, type GradientBaseline, pixelAttributions } from './picture.ts';
import { ranked } from './rank.ts';
import { withoutGradients } from './signature.ts';

/** The mean of two baselines: with one alone, pixels of its colour have no attribution. */
const USUAL_BASELINES: readonly GradientBaseline[] = ['black', 'white'];

export const xrai: ExplainMethod = {
  takes: ['picture'],
  options: ['baseline', 'steps', 'rule', 'seed'],
  baselines: GRADIENT_BASELINES,
  unavailable: withoutGradients,
  explain: (subject, options, budget) => ofPicture(subject as PictureSubject, options, budget),
};

async function ofPicture(subject: PictureSubject, options: ExplainOptions, budget: Budget): Promise<Attributed> {
  const baselines = options.baseline === undefined ? USUAL_BASELINES : [options.baseline as GradientBaseline];
  const { sums, largest, ...scores } = await pixelAttributions(subject, baselines, options, budget);
  const masks = await inTurns(masksOf(subject));
  const { labels, count } = await inTurns(ranked(masks, largest));
  const values = new Float64Array(count);
  for (const [pixel, region] of labels.entries()) values[region] = (values[region] as number) + (sums[pixel] as number);
  return { attributions: { kind: 'regions', labels, values }, baseline: baselines.join(' and '), ...scores };
}
