/** POST /feedback: the true labels of predictions, which become lines of the prediction log. */
import express, { type Router } from 'express';
import type { RequestContext } from '../../domain/request.ts';
import { GatewayError } from '../../errors.ts';
import type { BodyReader } from '../../http/body.ts';
import { contentType, isJsonRequest } from '../../http/content-type.ts';
import { allowOnly, type Door, type Handler } from '../../http/door.ts';
import { format, type Label } from './json-body.ts';

export type FeedbackOptions = {
  readonly readBody: BodyReader;
  /** Adds a label to the log. False where there is no room. Absent where the log is off. */
  readonly add: ((label: Label, context: RequestContext) => boolean) | undefined;
};

/** Creates the route /feedback. */
export function feedbackRoutes(door: Door, options: FeedbackOptions): Router {
  const router = express.Router();
  router
    .route('/feedback')
    .post(door('/feedback', feedbackHandler(options)))
    .all(door('/feedback', allowOnly('POST')));
  return router;
}

/** Creates the handler of POST /feedback. */
export function feedbackHandler({ readBody, add }: FeedbackOptions): Handler {
  return async (request, response, context) => {
    if (!add) throw new GatewayError('not_found', 'This gateway keeps no prediction log (PREDICTION_LOG).');
    if (!isJsonRequest(request)) {
      const { given } = contentType(request);
      const detail = `Content-Type is ${given.slice(0, 80) || 'missing'}; send application/json.`;
      throw new GatewayError('unsupported_media', detail);
    }
    const labels = await readBody.json({ request, response, signal: context.signal }, format, undefined);
    if (!labels.every((label) => add(label, context))) {
      const detail = 'The prediction log has no room at the moment; send all labels again later.';
      throw new GatewayError('overloaded', detail, { isUnavailable: true });
    }
    const body = JSON.stringify({ accepted: labels.length });
    return { status: 202, headers: { 'Content-Type': 'application/json' }, body };
  };
}
