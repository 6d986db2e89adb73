/** The line for pictures: instances in, named scores out. */
import type { PredictTarget } from '../domain/backend.ts';
import type { Instance } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import type { AskedServable } from '../domain/servable.ts';
import { asGatewayError, type GatewayError } from '../errors.ts';
import { bindingOf, type Routed } from '../model/route.ts';
import { requireScores, type Scores } from '../scores/scores.ts';
import { ask, type ScoredBatch } from './ask.ts';
import { fillTensor } from './fill.ts';
import type { Outcomes } from './outcomes.ts';
import { predictKnown } from './predict-known.ts';
import { readImages } from './read-images.ts';
import { retryWhileFull } from './retry-while-full.ts';
import type { Stages } from './stages.ts';

export type ClassifyRequest = {
  readonly servable: AskedServable;
  readonly instances: readonly Instance[];
  readonly wants: 'raw' | 'probabilities';
  /** Only the best K classes of each instance. */
  readonly top?: number | undefined;
};

/** The scores of an instance, or why it has none. */
export type Outcome = { readonly scores: Scores } | { readonly error: GatewayError };

export type Classification = {
  readonly version: number;
  /** In the order of the request's instances. */
  readonly outcomes: readonly Outcome[];
  /** Encoded images read, and tensors sent to the model server. */
  readonly imageBytes: number;
  readonly tensorBytes: number;
};

/** A batch whose tensor is filled, with the model's scores. */
type Predicted = {
  readonly version: number;
  readonly rows: Outcomes<number>;
  readonly scored: ScoredBatch;
  readonly tensorBytes: number;
};

/**
 * Scores every instance of a request with one Predict. An instance that cannot be read has an error as its outcome; when
 * none can be read, the first one's error is thrown. All work has ended when this resolves or throws.
 */
export async function classify(
  stages: Stages,
  request: ClassifyRequest,
  context: RequestContext,
): Promise<Classification> {
  const { instances } = request;
  const { servable } = request;
  const routed = await stages.route.resolve(servable, context);
  context.note({ model: routed.card.name, version: routed.version });
  requireScores({ gives: routed.card.scores, wants: request.wants });
  const share = stages.fetchedBytes.open();
  try {
    const { values: images, errors } = await readImages(stages, instances, share, context);
    requireOne(instances, { values: images, errors });
    const known = { servable, routed, images: images.size };
    const { version, rows, scored, tensorBytes } = await predictKnown(stages, known, context, (current, atOnce) =>
      predict(stages, request, { routed: current, images, atOnce }, context),
    );
    const outcomes = instances.map((instance): Outcome => {
      const row = rows.values.get(instance);
      const result = row === undefined ? (errors.get(instance) ?? rows.errors.get(instance)) : scored.rows[row];
      return Array.isArray(result) ? { scores: result } : { error: asGatewayError(result) };
    });
    const imageBytes = images.values().reduce((sum, { length }) => sum + length, 0);
    return { version, outcomes, imageBytes, tensorBytes };
  } finally {
    share.release();
  }
}

type Work = {
  readonly routed: Routed;
  readonly images: ReadonlyMap<Instance, Uint8Array>;
  readonly atOnce: number;
};

/** Decodes the images into one tensor and asks the model. */
async function predict(
  stages: Stages,
  { wants, top }: ClassifyRequest,
  { routed, images, atOnce }: Work,
  context: RequestContext,
): Promise<Predicted> {
  const { card, version, input, output, answer } = bindingOf(routed);
  const servable = { model: card.name, version };
  const target: PredictTarget = { servable, only: routed.servers, signature: card.signature, input, answer };
  const call = stages.backend.prepare(target, images.size);
  const rows = await fillTensor(stages, { image: card.image, images, call, atOnce }, context);
  requireOne([...images.keys()], rows);
  const options = { classes: card.classes, gives: card.scores, wants, top };
  const count = rows.values.size;
  const scored = await context.time('predict', () =>
    retryWhileFull(stages.admission, context, () => ask({ target, call, count, output, options }, context)),
  );
  const tensorBytes = call.inputBytes(count);
  call.release();
  return { version, rows, scored, tensorBytes };
}

/** Throws the first instance's error where no instance has a value. */
function requireOne([first]: readonly Instance[], { values, errors }: Outcomes<unknown>): void {
  if (first && values.size === 0) throw asGatewayError(errors.get(first));
}
