/** The line for tensors: the inputs of a signature in, its outputs out. */
import { isDeepStrictEqual } from 'node:util';
import type { Prediction } from '../domain/backend.ts';
import type { Explanation } from '../domain/explanation.ts';
import type { RequestContext } from '../domain/request.ts';
import type { AskedServable } from '../domain/servable.ts';
import type { Tensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import type { ExplainOptions } from '../explain/options.ts';
import { expectedTensors } from '../model/expected-answer.ts';
import { signatureOf } from '../model/find-signature.ts';
import type { Routed } from '../model/route.ts';
import { routeByInstance } from './by-instance.ts';
import { checkPictures } from './encoded-pictures.ts';
import { openRows } from './explain/records.ts';
import type { GivenIds } from './given-ids.ts';
import { type Outlier, requireBaseline, requireOwnSignature, rowOutliers } from './outliers.ts';
import { ownLine } from './own-line.ts';
import { predictKnown } from './predict-known.ts';
import { requireAnswer } from './require-answer.ts';
import { callServer } from './retry-while-full.ts';
import type { Stages, TensorStages } from './stages.ts';

export type InferRequest = {
  readonly servable: AskedServable;
  /** The version by whose signature the inputs were read. */
  readonly routed: Routed;
  readonly signature: string;
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** Rows of the inputs: what the answer may have, and what admission counts. At least 1. */
  readonly rows: number;
  /** Only these outputs. Unset: all. */
  readonly outputs?: readonly string[] | undefined;
  readonly ids?: GivenIds | undefined;
  /** The field that asks how unusual each row is. */
  readonly outlier?: string | undefined;
  /** Whether and how each row is explained. */
  readonly explain?: ExplainOptions | undefined;
};

export type InferAnswer = Prediction & {
  readonly version: number;
  /** Of each row, where the request asks for it. */
  readonly outliers?: readonly Outlier[];
  /** Of each row, where the request asks for it. */
  readonly explanations?: readonly Explanation[];
};

/**
 * Sends tensors with one Predict, then explains the rows where the request asks for it. Throws `model_failed` where a wanted output is
 * missing from the answer.
 */
export async function infer(shared: TensorStages, request: InferRequest, given: RequestContext): Promise<InferAnswer> {
  const { signature: name, inputs, rows, outlier } = request;
  const { stages, context: own } = ownLine(shared, request.routed.card, given);
  checkEncodedInput(stages, request);
  const { routed: first, context } = await routeByInstance(stages, request, own);
  if (outlier !== undefined) {
    requireOwnSignature(first, name, outlier);
    await requireBaseline(stages, first, outlier);
  }
  const known = { ...request, routed: first };
  if (!request.explain) return (await predictRows(stages, known, context, given)).answer;
  const asked = { routed: first, signature: name, inputs, rows, options: request.explain };
  using explanations = await openRows(stages, asked, context);
  const { routed, answer } = await predictRows(stages, known, context, given);
  return { ...answer, explanations: await explanations.of(routed, answer.outputs) };
}

/** `given`: the context of the request, for the record of predictions. */
async function predictRows(
  stages: TensorStages,
  { servable, routed: first, signature: name, inputs, rows, outlier, ids, outputs: wanted }: InferRequest,
  context: RequestContext,
  given: RequestContext,
): Promise<{ readonly routed: Routed; readonly answer: InferAnswer }> {
  const signature = signatureOf(first.metadata, name);
  return await predictKnown(stages, { routed: first, servable, images: 1 }, context, async (routed) => {
    if (!isDeepStrictEqual(signatureOf(routed.metadata, name), signature)) {
      throw new GatewayError('model_failed', 'The model was replaced by one with another signature; send it again.');
    }
    const { card, version, servers } = routed;
    const answer = expectedTensors(signature, wanted);
    const target = { servable: { model: card.name, version }, only: servers, signature: name, answer };
    const prediction = await callServer(stages.admission, context, (timed) =>
      stages.backend.predict(target, inputs, rows, timed),
    );
    requireAnswer(prediction, version, answer.outputs);
    const { outputs } = prediction;
    stages.onPredicted?.({ kind: 'tensors', routed, signature: name, inputs, outputs, rows, ids }, given);
    if (outlier === undefined) return { routed, answer: { ...prediction, version } };
    const baseline = await requireBaseline(stages, routed, outlier);
    const outliers = await rowOutliers(baseline, routed, { inputs, outputs, rows });
    return { routed, answer: { ...prediction, version, outliers } };
  });
}

/** The pictures of a model that decodes them itself. */
function checkEncodedInput(
  { checkEncoded }: Pick<Stages, 'checkEncoded'>,
  { routed, signature, inputs }: InferRequest,
): void {
  const { card, input } = routed.binding ?? {};
  if (!card || !input || signature !== card.signature || !('encoded' in card.image)) return;
  checkPictures(checkEncoded, inputs.get(input.name), input.name);
}
