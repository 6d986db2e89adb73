/** Reads the requests of TF-Serving's REST API: which model, and the body. Any Content-Type is read as JSON, as there. */

import type { Tensor } from '../../domain/tensor.ts';
import type { GatewayError } from '../../errors.ts';
import type { BodyReader } from '../../http/body.ts';
import type { InferRequest } from '../../pipeline/infer.ts';
import { DEFAULT_SIGNATURE } from '../../pipeline/signature.ts';
import { errorOf } from './document.ts';
import { format as examplesFormat } from './examples-body.ts';
import type { AskedModel } from './path.ts';
import { type PredictBody, format as predictFormat } from './predict-body.ts';

type Exchange = Parameters<BodyReader['json']>[0];
type Routed = InferRequest['routed'];

export type PredictRequest = Exclude<PredictBody, { refused: unknown } | { kind: 'document' }>;

/** The servable that a path names, for the pipeline. Versions above 2^53 exist at no server. */
export function servableOf({ version, ...asked }: AskedModel): InferRequest['servable'] {
  return { ...asked, ...(version !== undefined && { version: Number(version) }) };
}

/**
 * Reads the body of …:predict by the signatures of the version. `routed` may be the error of a model that is not there: a
 * mistake in the document comes first, as in TF-Serving. Throws TfServingError, the errors of the reader, and `routed`.
 */
export async function readPredict(
  readBody: BodyReader,
  exchange: Exchange,
  routed: Routed | GatewayError,
  maxInstances: number,
): Promise<PredictRequest> {
  const signatures = routed instanceof Error ? {} : { signatures: routed.metadata.signatures };
  const pictures = routed instanceof Error ? undefined : routed.binding?.card.signature;
  const body = await readBody.json(exchange, predictFormat, { ...signatures, pictures, maxInstances });
  if ('refused' in body) throw errorOf(body);
  if (routed instanceof Error) throw routed;
  if (body.kind === 'document') throw new TypeError('a body without tensors of a version that is known');
  return body;
}

/** Reads the body of …:classify or …:regress: serialized tf.Examples. */
export async function readExamples(readBody: BodyReader, exchange: Exchange): Promise<Examples> {
  const body = await readBody.json(exchange, examplesFormat, undefined);
  if ('refused' in body) throw errorOf(body);
  const { signature, examples } = body;
  return { signature: signature || DEFAULT_SIGNATURE, examples, count: examples.shape[0] ?? 0 };
}

export type Examples = {
  readonly signature: string;
  readonly examples: Tensor;
  readonly count: number;
};
