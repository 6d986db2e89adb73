/** The line for pictures: instances in, named scores out. */
import type { PredictTarget } from '../domain/backend.ts';
import type { Instance } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import type { AskedServable } from '../domain/servable.ts';
import { asGatewayError, type GatewayError } from '../errors.ts';
import type { Binding } from '../model/signatures.ts';
import { requireScores, type Scores } from '../scores/scores.ts';
import { ask, type ScoredBatch } from './ask.ts';
import { fillTensor } from './fill.ts';
import type { Outcomes } from './outcomes.ts';
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
type Predicted = { readonly rows: Outcomes<number>; readonly scored: ScoredBatch; readonly tensorBytes: number };

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
  const binding = await stages.resolve(request.servable, context.signal);
  context.note({ model: binding.card.name, version: binding.version });
  requireScores({ gives: binding.card.scores, wants: request.wants });
  const share = stages.fetchedBytes.open();
  try {
    const { values: images, errors } = await readImages(stages, instances, share, context);
    requireOne(instances, { values: images, errors });
    const { rows, scored, tensorBytes } = await stages.admission.admit(context, images.size, (atOnce) =>
      predict(stages, request, { binding, images, atOnce }, context),
    );
    const outcomes = instances.map((instance): Outcome => {
      const row = rows.values.get(instance);
      const result = row === undefined ? (errors.get(instance) ?? rows.errors.get(instance)) : scored.rows[row];
      return Array.isArray(result) ? { scores: result } : { error: asGatewayError(result) };
    });
    const imageBytes = images.values().reduce((sum, { length }) => sum + length, 0);
    return { version: scored.version ?? binding.version, outcomes, imageBytes, tensorBytes };
  } finally {
    share.release();
  }
}

type Work = {
  readonly binding: Binding;
  readonly images: ReadonlyMap<Instance, Uint8Array>;
  readonly atOnce: number;
};

/** Decodes the images into one tensor and asks the model. */
async function predict(
  stages: Stages,
  { servable, wants, top }: ClassifyRequest,
  { binding, images, atOnce }: Work,
  context: RequestContext,
): Promise<Predicted> {
  const { card, input, output } = binding;
  const target: PredictTarget = { servable: { ...servable, model: card.name }, signature: card.signature, input };
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
  return { rows, scored, tensorBytes };
}

/** Throws the first instance's error where no instance has a value. */
function requireOne([first]: readonly Instance[], { values, errors }: Outcomes<unknown>): void {
  if (first && values.size === 0) throw asGatewayError(errors.get(first));
}
