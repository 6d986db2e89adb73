/** Reads a prediction that a hosting platform sends: the model it means, and its JSON or picture. */
import type { Request } from 'express';
import type { AskedServable } from '../../domain/servable.ts';
import type { Table } from '../../domain/table.ts';
import { GatewayError } from '../../errors.ts';
import type { BodyReader } from '../../http/body.ts';
import { contentType, isJsonRequest } from '../../http/content-type.ts';
import type { Exchange } from '../../http/exchange.ts';
import { format, type JsonBody } from './json-body.ts';
import { NO_PARAMETERS } from './parameters.ts';

/** The name of an artifact in a bucket is what SageMaker's clients know. */
const ARCHIVE = /\.tar\.gz$/;

/** The model of a request: SageMaker's clients name one of several by a header. Vertex AI and MLflow name none. */
export function servableOf(request: Pick<Request, 'get'>): AskedServable {
  const target = request.get('x-amzn-sagemaker-target-model')?.replace(ARCHIVE, '');
  return target ? { model: target } : {};
}

/** Types of a body that is one picture. SageMaker's own picture models take application/x-image. */
const PICTURES: readonly string[] = ['application/x-image', 'application/octet-stream'];

export type ReadOptions = {
  readonly readBody: BodyReader;
  readonly maxInstances: number;
  readonly maxBodyBytes: number;
};

/** Reads the body by its Content-Type; `table` is undefined for a model of pictures. Throws `unsupported_media`. */
export async function readInvocation(
  { readBody, maxInstances, maxBodyBytes }: ReadOptions,
  exchange: Exchange & { readonly request: Request },
  table: Table | undefined,
): Promise<JsonBody> {
  if (isJsonRequest(exchange.request)) return readBody.json(exchange, format, { table, maxInstances, maxBodyBytes });
  const { given, type } = contentType(exchange.request);
  if (!table && (type.startsWith('image/') || PICTURES.includes(type))) {
    const bytes = await readBody.image(exchange);
    return { form: NO_PARAMETERS, pictures: { instances: [{ kind: 'bytes', bytes, field: 'body' }], ids: [] } };
  }
  const known = table ? 'application/json' : 'application/json or image/*';
  throw new GatewayError('unsupported_media', `Content-Type is ${given.slice(0, 80) || 'missing'}; send ${known}.`);
}
