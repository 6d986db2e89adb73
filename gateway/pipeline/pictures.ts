/** The line for pictures: instances in, the model's outputs for each of them out. */
import type { PredictCall, PredictTarget } from '../domain/backend.ts';
import type { Explanation } from '../domain/explanation.ts';
import type { Instance } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import type { AskedServable } from '../domain/servable.ts';
import { asGatewayError, type GatewayError } from '../errors.ts';
import type { ExplainOptions } from '../explain/options.ts';
import { expectedTensors } from '../model/expected-answer.ts';
import { signatureOf } from '../model/find-signature.ts';
import { bindingOf, type Routed } from '../model/route.ts';
import { type AnsweredBatch, ask, type RowOutputs } from './ask.ts';
import { routeByInstance } from './by-instance.ts';
import { openPictures } from './explain/pictures.ts';
import { type FilledTensor, fillTensor } from './fill.ts';
import type { GivenIds } from './given-ids.ts';
import { keptMemory } from './kept-memory.ts';
import type { Outcomes } from './outcomes.ts';
import { type Outlier, pictureOutlier, requireBaseline } from './outliers.ts';
import { ownLine } from './own-line.ts';
import { predictKnown } from './predict-known.ts';
import type { PredictedPicture, SentPixels } from './predicted.ts';
import { readImages } from './read-images.ts';
import { callServer } from './retry-while-full.ts';
import type { Stages } from './stages.ts';

export type PicturesRequest = {
  readonly servable: AskedServable;
  /** The version that was selected for it. */
  readonly routed: Routed;
  readonly instances: readonly Instance[];
  /** Only the output that has the scores, or all outputs of the signature. */
  readonly outputs: 'scores' | 'all';
  readonly ids?: GivenIds | undefined;
  /** The field that asks how unusual each picture is. */
  readonly outlier?: string | undefined;
  /** Whether and how each picture is explained. */
  readonly explain?: ExplainOptions | undefined;
};

/** The outputs of an instance, or why it has none. */
export type PictureOutcome =
  | { readonly outputs: RowOutputs; readonly outlier?: Outlier }
  | { readonly error: GatewayError };

export type PicturesAnswer = {
  /** The version that answered. */
  readonly routed: Routed;
  /** In the order of the request's instances. */
  readonly outcomes: readonly PictureOutcome[];
  /** Encoded images read, and tensors sent to the model server. */
  readonly imageBytes: number;
  readonly tensorBytes: number;
  /** For each instance, where the request asks for it. Undefined for one without outputs. */
  readonly explanations?: readonly (Explanation | undefined)[];
};

/** A batch whose tensor is filled, with the model's answer. */
type Predicted = {
  readonly routed: Routed;
  readonly rows: FilledTensor;
  readonly answered: AnsweredBatch;
  readonly tensorBytes: number;
  readonly call: PredictCall;
};

/**
 * Predicts every instance of a request with one Predict. An instance that cannot be read has an error as its outcome; when
 * none can be read, the first one's error is thrown. All work has ended when this resolves or throws.
 */
export async function predictPictures(
  shared: Stages,
  request: PicturesRequest,
  given: RequestContext,
): Promise<PicturesAnswer> {
  const { instances, servable } = request;
  const { stages, context: own } = ownLine(shared, request.routed.card, given);
  const read = { ...request, signature: request.outputs === 'all' ? bindingOf(request.routed).signature : undefined };
  const { routed, context } = await routeByInstance(stages, read, own);
  const share = stages.fetchedBytes.open();
  try {
    if (request.outlier !== undefined) await requireBaseline(stages, routed, request.outlier);
    using explanations =
      request.explain && openPictures(stages, { routed, instances, options: request.explain }, context);
    const { values: images, errors } = await readImages(stages, instances, share, context);
    requireOne(instances, { values: images, errors });
    const known = { servable, routed, images: images.size };
    const predicted = await predictKnown(stages, known, context, (current, atOnce) =>
      predict(stages, request, { routed: current, images, atOnce }, context),
    );
    const { rows, answered } = predicted;
    const outcomes = instances.map((instance): PictureOutcome => {
      const row = rows.values.get(instance);
      const result = row === undefined ? (errors.get(instance) ?? rows.errors.get(instance)) : answered.rows[row];
      return result instanceof Map ? { outputs: result } : { error: asGatewayError(result) };
    });
    const pictures = picturesOf(request, images, outcomes, rows);
    const memory = keptMemory(() => predicted.call.release());
    const isSent = memory.keep();
    if (stages.onPredicted) {
      const { signature } = bindingOf(predicted.routed);
      const about = { routed: predicted.routed, signature, ids: request.ids };
      const pixels = pixelsOf(predicted, memory.keep);
      stages.onPredicted({ kind: 'pictures', ...about, pictures, count: instances.length, pixels }, given);
    }
    isSent();
    if (request.outlier !== undefined) {
      const baseline = await requireBaseline(stages, predicted.routed, request.outlier);
      for (const picture of pictures) {
        const outlier = pictureOutlier(baseline, predicted.routed, picture);
        outcomes[picture.row] = { outputs: picture.outputs, outlier };
      }
    }
    const imageBytes = images.values().reduce((sum, { length }) => sum + length, 0);
    const answer = { routed: predicted.routed, outcomes, imageBytes, tensorBytes: predicted.tensorBytes };
    return explanations ? { ...answer, explanations: await explanations.of(predicted.routed, pictures) } : answer;
  } finally {
    share.release();
  }
}

/** The pictures that have outputs. */
function picturesOf(
  { instances }: PicturesRequest,
  images: ReadonlyMap<Instance, Uint8Array>,
  outcomes: readonly PictureOutcome[],
  { values: sentRows, statistics }: FilledTensor,
): PredictedPicture[] {
  return instances.flatMap((instance, row) => {
    const bytes = images.get(instance);
    const sentRow = sentRows.get(instance);
    const outcome = outcomes[row];
    if (!bytes || sentRow === undefined || !outcome || 'error' in outcome) return [];
    return { row, sentRow, instance, bytes, outputs: outcome.outputs, statistics: statistics.get(instance) };
  });
}

/** The tensor that was sent. Undefined for strings. */
function pixelsOf({ routed, rows, call, tensorBytes }: Predicted, keep: SentPixels['keep']): SentPixels | undefined {
  const { dtype, shape } = bindingOf(routed).input;
  if (dtype === 'DT_STRING') return undefined;
  const { buffer, byteOffset } = call.tensor;
  const bytes = new Uint8Array(buffer, byteOffset, tensorBytes);
  return { tensor: { dtype, shape: [rows.values.size, ...shape], bytes }, keep };
}

type Work = {
  readonly routed: Routed;
  readonly images: ReadonlyMap<Instance, Uint8Array>;
  readonly atOnce: number;
};

/** Decodes the images into one tensor and asks the model. */
async function predict(
  stages: Stages,
  { outputs }: PicturesRequest,
  { routed, images, atOnce }: Work,
  context: RequestContext,
): Promise<Predicted> {
  const { card, signature, image, version, input, answer: scoresOnly } = bindingOf(routed);
  const servable = { model: card.name, version };
  const answer = outputs === 'scores' ? scoresOnly : expectedTensors(signatureOf(routed.metadata, signature));
  const target: PredictTarget = { servable, only: routed.servers, signature, input, answer };
  const call = stages.backend.prepare(target, images.size);
  const rows = await fillTensor(stages, { image, images, call, dtype: input.dtype, atOnce }, context);
  requireOne([...images.keys()], rows);
  const count = rows.values.size;
  const answered = await callServer(stages.admission, context, (timed) => ask({ target, call, count }, timed));
  return { routed, rows, answered, tensorBytes: call.inputBytes(count), call };
}

/** Throws the first instance's error where no instance has a value. */
function requireOne([first]: readonly Instance[], { values, errors }: Outcomes<unknown>): void {
  if (first && values.size === 0) throw asGatewayError(errors.get(first));
}
