/** POST /feedback as openapi.json describes it. */
import { z } from 'zod';
import { doorHeaders } from '../../http/openapi/headers.ts';
import { BODY, refusals } from '../../http/openapi/refusals.ts';
import { answerOf, type DescribedRoute } from '../../http/openapi/route.ts';
import { feedbackSchema } from './json-body.ts';

/** The route for openapi.json. */
export function describeFeedback(): DescribedRoute[] {
  return [
    {
      method: 'post',
      path: '/feedback',
      examples: { label: { summary: 'The label of one prediction', body: { id: '42', label: 'pants' } } },
      operation: {
        operationId: 'sendFeedback',
        summary: 'The true labels of predictions',
        description:
          'Each label becomes a line of the prediction log, beside that of its prediction. A label may be sent late, and again: the ' +
          'last one counts. 404 where the gateway keeps no log (PREDICTION_LOG).',
        tags: ['predictions'],
        requestBody: { required: true, content: { 'application/json': { schema: feedbackSchema } } },
        responses: {
          202: answerOf('The labels will be written within a second.', z.object({ accepted: z.int() }), doorHeaders),
          ...refusals([...BODY, 'unsupported_media', 'not_found']),
        },
      },
    },
  ];
}
