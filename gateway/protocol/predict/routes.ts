/** POST /predict: class scores of images, and predictions of records. */
import express, { type Request, type Router } from 'express';
import type { RequestContext } from '../../domain/request.ts';
import type { AskedServable } from '../../domain/servable.ts';
import { type ExplainOptions, optionsOf } from '../../explain/options.ts';
import type { BodyReader } from '../../http/body.ts';
import { isJsonRequest } from '../../http/content-type.ts';
import { allowOnly, type Door, type Handler } from '../../http/door.ts';
import type { Classification, ClassifyRequest } from '../../pipeline/classify.ts';
import type { FoundModel } from '../../pipeline/records.ts';
import { refuseName, withExplanations } from '../../predictions/explanations.ts';
import { renderClassification } from '../../predictions/pictures.ts';
import { type PredictParameters, parsePredictForm, parsePredictQuery } from './parameters.ts';
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
      const { top, scores: wants, format, outlier } = asked;
      found = await find(servableOf(asked), context);
      const { table } = found;
      const form = { top, wants, format, outlier: outlier === 'true' };
      const explain = explainOf(asked, 'query ', request);
      if (table)
        return answerRecords({ ...found, table }, { form, explain }, { ...records, readBody }, exchange, context);
    }
    const { instances, flat, ids, fields } = await readPredictBody(readBody, maxInstances, exchange);
    const given = fields ? parsePredictForm(request.query, fields) : asked;
    const { top, scores: wants, format, outlier: isAsked } = given;
    const outlier = isAsked === 'true' ? `${fields?.outlier === undefined ? 'query ' : ''}outlier` : undefined;
    const explain = explainOf(given, fields?.explain === undefined ? 'query ' : '', request);
    context.note(servableOf(given));
    const model = found ?? (await find(servableOf(given), context));
    refuseName(explain, flat && format === 'map', model.routed.card.classes ?? []);
    const classification = await classify({ model, instances, wants, top, ids, outlier, explain }, context);
    const answer = renderClassification(classification, { flat, format, ids });
    return withExplanations(answer, { options: explain, explanations: classification.explanations, flat });
  };
}

function servableOf({ model, version, label }: PredictParameters): AskedServable {
  return { model, version, label };
}

/** How the prediction is explained. A client that accepts PNG and no JSON gets the heat map. */
function explainOf(given: PredictParameters, place: string, request: Request): ExplainOptions | undefined {
  const options = optionsOf(given, place);
  if (!options || given['explain.format'] || request.accepts(['json', 'png']) !== 'png') return options;
  return { ...options, format: 'png' };
}
