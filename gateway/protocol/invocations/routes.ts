/** POST /invocations, as SageMaker and MLflow call it, and the same on the route that Vertex AI chooses. */
import express, { type Router } from 'express';
import type { RequestContext } from '../../domain/request.ts';
import type { AskedServable } from '../../domain/servable.ts';
import type { BodyReader } from '../../http/body.ts';
import { allowOnly, type Door, type Handler } from '../../http/door.ts';
import { exactPath } from '../../http/exact-path.ts';
import type { JsonCodec } from '../../http/json/codec.ts';
import type { Classification, ClassifyRequest } from '../../pipeline/classify.ts';
import type { InferAnswer } from '../../pipeline/infer.ts';
import type { FoundModel, RecordsRequest } from '../../pipeline/records.ts';
import { withExplanations } from '../../predictions/explanations.ts';
import { checkForm, renderRecords } from '../../predictions/records.ts';
import { renderPictures } from './answer.ts';
import { readInvocation, servableOf } from './request.ts';

export type InvocationsOptions = {
  /** The path that Vertex AI chooses. */
  readonly predictRoute?: string | undefined;
  readonly readBody: BodyReader;
  readonly maxInstances: number;
  readonly maxBodyBytes: number;
  readonly write: JsonCodec['write'];
  /** Throws if the request cannot be admitted. Called before its body is read. */
  readonly check: (context: RequestContext) => void;
  /** The version that a request means. */
  readonly find: (servable: AskedServable, context: RequestContext) => Promise<FoundModel>;
  readonly predict: (request: RecordsRequest, context: RequestContext) => Promise<InferAnswer>;
  readonly classify: (request: ClassifyRequest, context: RequestContext) => Promise<Classification>;
};

/** Creates the routes. The label in metrics and log is the same for both: the platform chooses the path. */
export function invocationsRoutes(door: Door, options: InvocationsOptions): Router {
  const { predictRoute } = options;
  const router = express.Router();
  router
    .route(['/invocations', ...(predictRoute === undefined ? [] : [predictRoute])].map(exactPath))
    .post(door('/invocations', invocationsHandler(options)))
    .all(door('/invocations', allowOnly('POST')));
  return router;
}

/** Creates the handler of a prediction. */
export function invocationsHandler(options: InvocationsOptions): Handler {
  const { check, find, predict, classify, write } = options;
  return async (request, response, context) => {
    const servable = servableOf(request);
    context.note(servable);
    check(context);
    const model = await find(servable, context);
    const exchange = { request, response, signal: context.signal };
    const { table } = model;
    const { form, pictures, records } = await readInvocation(options, exchange, table);
    const { explain } = form;
    const outlier = form.outlier ? 'parameters.outlier' : undefined;
    if (!table || !records) {
      const { instances, ids } = pictures ?? { instances: [], ids: [] };
      const { wants, top } = form;
      const classification = await classify({ model, instances, wants, top, ids, outlier, explain }, context);
      const { explanations } = classification;
      return withExplanations(renderPictures(classification, ids, form), {
        options: explain,
        explanations,
        flat: false,
      });
    }
    checkForm(table, form, 'parameters.');
    const { instances } = records;
    const inputs = new Map(records.inputs);
    const prediction = await predict(
      { model: { ...model, table }, inputs, rows: instances.count, ids: instances.ids, outlier, explain },
      context,
    );
    const answer = await renderRecords(write, { ...prediction, table }, { instances, flat: false }, form);
    return withExplanations(answer, { options: explain, explanations: prediction.explanations, flat: false });
  };
}
