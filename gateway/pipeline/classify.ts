/** Pictures with named scores: the line for pictures, and the names of the classes on top. */
import type { Instance } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import { asGatewayError, type GatewayError } from '../errors.ts';
import type { ExplainOptions } from '../explain/options.ts';
import { bindingOf } from '../model/route.ts';
import { nameScores, requireScores, type ScoreOptions, type Scores } from '../scores/scores.ts';
import type { GivenIds } from './given-ids.ts';
import type { Outlier } from './outliers.ts';
import { type PictureOutcome, type PicturesAnswer, predictPictures } from './pictures.ts';
import type { FoundModel } from './records.ts';
import type { Stages } from './stages.ts';

export type ClassifyRequest = {
  readonly model: Pick<FoundModel, 'servable' | 'routed'>;
  readonly instances: readonly Instance[];
  readonly wants: 'raw' | 'probabilities';
  /** Only the best K classes of each instance. */
  readonly top?: number | undefined;
  readonly ids?: GivenIds | undefined;
  /** The field that asks how unusual each picture is. */
  readonly outlier?: string | undefined;
  /** Whether and how each picture is explained. */
  readonly explain?: ExplainOptions | undefined;
};

/** The scores of an instance, or why it has none. */
export type Outcome = { readonly scores: Scores; readonly outlier?: Outlier } | { readonly error: GatewayError };

export type Classification = Pick<PicturesAnswer, 'imageBytes' | 'tensorBytes' | 'explanations'> & {
  readonly version: number;
  /** In the order of the request's instances. */
  readonly outcomes: readonly Outcome[];
};

/** Scores every instance of a request, as predictPictures does. Throws the first one's error where none has scores. */
export async function classify(
  stages: Stages,
  { model, instances, wants, top, ids, outlier, explain }: ClassifyRequest,
  context: RequestContext,
): Promise<Classification> {
  requireScores({ gives: model.routed.card.scores, wants });
  const answer = await predictPictures(
    stages,
    { ...model, instances, ids, outlier, explain, outputs: 'scores' },
    context,
  );
  const { card, output, version } = bindingOf(answer.routed);
  const options = { classes: card.classes, gives: card.scores, wants, top };
  const outcomes = answer.outcomes.map((outcome) => scoresOf(outcome, output, options));
  const [first] = outcomes;
  if (first && 'error' in first && outcomes.every((outcome) => 'error' in outcome)) throw first.error;
  return { ...answer, version, outcomes };
}

/** The scores of one instance, or its error. */
function scoresOf(outcome: PictureOutcome, output: string, options: ScoreOptions): Outcome {
  if ('error' in outcome) return outcome;
  const { outputs, outlier } = outcome;
  try {
    const row = outputs.get(output);
    const [scores] = nameScores(row && { ...row, shape: [1, ...row.shape] }, 1, options);
    return Array.isArray(scores) ? { scores, ...(outlier && { outlier }) } : { error: asGatewayError(scores) };
  } catch (thrown) {
    return { error: asGatewayError(thrown) };
  }
}
