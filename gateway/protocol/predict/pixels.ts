/** POST /predict/pixels: the pixels that a model sees of a picture, as a PNG. The body is that of POST /predict. */
import type { Instance } from '../../domain/picture.ts';
import type { RequestContext } from '../../domain/request.ts';
import type { AskedServable } from '../../domain/servable.ts';
import { GatewayError } from '../../errors.ts';
import type { BodyReader } from '../../http/body.ts';
import type { Handler } from '../../http/door.ts';
import type { FoundModel } from '../../pipeline/records.ts';
import { parsePredictForm, parsePredictQuery } from './parameters.ts';
import { readPredictBody } from './request.ts';

export type PixelsOptions = {
  readonly readBody: BodyReader;
  /** Throws if the request cannot be admitted. Called before its body is read. */
  readonly check: (context: RequestContext) => void;
  /** The version that a request means. */
  readonly find: (servable: AskedServable, context: RequestContext) => Promise<FoundModel>;
  /** The PNG of what the model sees. */
  readonly pixels: (model: FoundModel, instance: Instance, context: RequestContext) => Promise<Uint8Array>;
};

/** Creates the handler of POST /predict/pixels. */
export function pixelsHandler({ readBody, check, find, pixels }: PixelsOptions): Handler {
  return async (request, response, context) => {
    const asked = parsePredictQuery(request.query);
    check(context);
    const { instances, fields } = await readPredictBody(readBody, 1, { request, response, signal: context.signal });
    const { model, version, label } = fields ? parsePredictForm(request.query, fields) : asked;
    const [instance] = instances;
    if (!instance) throw new GatewayError('invalid_request', 'body: send one picture.');
    const found = await find({ model, version, label }, context);
    const body = await pixels(found, instance, context);
    const headers = { 'Content-Type': 'image/png', 'X-Model-Version': String(found.routed.version) };
    return { status: 200, headers, body };
  };
}
