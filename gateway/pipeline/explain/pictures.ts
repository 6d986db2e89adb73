/** Explains the pictures of a request, after they were predicted. */
import type { Explanation } from '../../domain/explanation.ts';
import type { ImageSpec, Instance } from '../../domain/picture.ts';
import type { RequestContext } from '../../domain/request.ts';
import { GatewayError } from '../../errors.ts';
import type { ExplainOptions } from '../../explain/options.ts';
import { bindingOf, type Routed } from '../../model/route.ts';
import type { PredictedPicture } from '../predicted.ts';
import { decodePixels } from '../seen-pixels.ts';
import type { Stages } from '../stages.ts';
import { type Opened, openExplanations } from './open.ts';
import { pictureSubject, seenPicture } from './picture.ts';
import { targetOf } from './target.ts';

export type PictureExplanations = Disposable & {
  /** For each instance; undefined for one that has no prediction. */
  of(routed: Routed, pictures: readonly PredictedPicture[]): Promise<readonly (Explanation | undefined)[]>;
};

/**
 * Takes a place for the explanations of all instances. Throws the errors of openExplanations, and
 * `explanation_unavailable` for pictures that the gateway does not decode.
 */
export function openPictures(
  stages: Stages,
  { routed, instances, options }: { routed: Routed; instances: readonly Instance[]; options: ExplainOptions },
  context: RequestContext,
): PictureExplanations {
  const { image } = routed.card;
  if (!image || 'encoded' in image || instances.some(({ kind }) => kind === 'row')) {
    const why = image && 'encoded' in image ? 'decodes pictures itself' : 'gets pictures as tensors here';
    const detail = `${options.place}explain: the model ${why}; only pictures that the gateway decodes are explained`;
    throw new GatewayError('explanation_unavailable', detail);
  }
  const { signatures } = routed.metadata;
  const opened = openExplanations(
    stages,
    { options, kind: 'picture', instances: instances.length, signatures },
    context,
  );
  return {
    async of(current, pictures) {
      const explanations = new Array<Explanation | undefined>(instances.length).fill(undefined);
      for (const picture of pictures) {
        explanations[picture.row] = await explainOne(
          stages,
          opened,
          { routed: current, spec: image, picture, options },
          context,
        );
      }
      return explanations;
    },
    [Symbol.dispose]: () => opened[Symbol.dispose](),
  };
}

type One = {
  readonly routed: Routed;
  readonly spec: ImageSpec;
  readonly picture: PredictedPicture;
  readonly options: ExplainOptions;
};

async function explainOne(
  stages: Stages,
  opened: Opened,
  { routed, spec, picture, options }: One,
  context: RequestContext,
): Promise<Explanation> {
  const { card, output } = bindingOf(routed);
  const scores = { output, classes: card.classes, gives: card.scores };
  const target = targetOf(picture.outputs, { scores, usual: output }, options);
  const given = { bytes: picture.bytes, field: picture.instance.field };
  const pixels = await stages.admission.admitSpare(context, 1, () => decodePixels(stages, given, spec, context));
  const explanation = await opened.explain((meter) =>
    pictureSubject({ stages, routed, target, meter, context, spec, pixels }),
  );
  return { ...explanation, picture: seenPicture(spec, pixels) };
}
