/** POST /predict: class scores of images, and predictions of records. */
import express, { type Router } from 'express';
import type { RequestContext } from '../../domain/request.ts';
import type { AskedServable } from '../../domain/servable.ts';
import type { BodyReader } from '../../http/body.ts';
import { isJsonRequest } from '../../http/content-type.ts';
import { allowOnly, type Door, type Handler } from '../../http/door.ts';
import type { Classification, ClassifyRequest } from '../../pipeline/classify.ts';
import type { FoundModel } from '../../pipeline/records.ts';
import { renderClassification } from '../../predictions/pictures.ts';
import { parsePredictForm, parsePredictQuery } from './parameters.ts';
import { type PixelsOptions, pixelsHandler } from './pixels.ts';
import { answerRecords, type RecordsOptions } from './records.ts';
import { readPredictBody } from './request.ts';

export type PredictOptions = {
  readonly readBody: BodyReader;
  readonly maxInstances: number;
  /** Throws if the request cannot be admitted. Called before its body is read. */
  readonly check: (context: RequestContext) => void;
  /** The version that a request means. */
  readonly find: (servable: AskedServable, context: RequestContext) => Promise<FoundModel>;
  readonly classify: (request: ClassifyRequest, context: RequestContext) => Promise<Classification>;
  /** For models that take no images. */
  readonly records: RecordsOptions;
};

export type PredictRoutesOptions = PredictOptions & Pick<PixelsOptions, 'pixels'>;

/** Creates the routes /predict and /predict/pixels. */
export function predictRoutes(door: Door, options: PredictRoutesOptions): Router {
  const router = express.Router();
  router
    .route('/predict')
    .post(door('/predict', predictHandler(options)))
    .all(door('/predict', allowOnly('POST')));
  router
    .route('/predict/pixels')
    .post(door('/predict/pixels', pixelsHandler(options)))
    .all(door('/predict/pixels', allowOnly('POST')));
  return router;
}

/** Creates the handler of POST /predict. */
export function predictHandler({ readBody, maxInstances, check, find, classify, records }: PredictOptions): Handler {
  return async (request, response, context) => {
    const asked = parsePredictQuery(request.query);
    check(context);
    const exchange = { request, response, signal: context.signal };
    let found: FoundModel | undefined;
    if (isJsonRequest(request)) {
      const { top, scores: wants, format, outlier, ...servable } = asked;
      found = await find(servable, context);
      const { table } = found;
      const form = { top, wants, format, outlier: outlier === 'true' };
      if (table) return answerRecords({ ...found, table }, form, { ...records, readBody }, exchange, context);
    }
    const { instances, flat, ids, fields } = await readPredictBody(readBody, maxInstances, exchange);
    const given = fields ? parsePredictForm(request.query, fields) : asked;
    const { top, scores: wants, format, outlier: isAsked, ...servable } = given;
    const outlier = isAsked === 'true' ? `${fields?.outlier === undefined ? 'query ' : ''}outlier` : undefined;
    context.note(servable);
    const model = found ?? (await find(servable, context));
    return renderClassification(await classify({ model, instances, wants, top, ids, outlier }, context), {
      flat,
      format,
      ids,
    });
  };
}
