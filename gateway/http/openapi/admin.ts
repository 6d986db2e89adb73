/** The routes of ADMIN_PORT as its openapi.json describes them. */
import { z } from 'zod';
import { answerOf, type DescribedRoute } from './route.ts';

const level = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']);
const current = z.object({ level }).meta({ id: 'LogLevel' });
const chosen = current.extend({ levels: z.array(level) }).meta({ id: 'LogLevels' });
const failure = z.object({ status: z.int(), detail: z.string() }).meta({ id: 'AdminFailure' });

export function describeAdmin(): DescribedRoute[] {
  return [
    {
      method: 'get',
      path: '/metrics',
      operation: {
        operationId: 'metrics',
        summary: 'The metrics, in the text format of Prometheus',
        tags: ['metrics'],
        responses: { 200: answerOf('The metrics.', z.string(), z.object({}), 'text/plain') },
      },
      examples: { metrics: { summary: 'A gateway that has started' } },
    },
    {
      method: 'get',
      path: '/log-level',
      operation: {
        operationId: 'getLogLevel',
        summary: 'The level of the log',
        tags: ['log'],
        responses: { 200: answerOf('The level.', current) },
      },
      examples: { level: { summary: 'A gateway that has started' } },
    },
    {
      method: 'put',
      path: '/log-level',
      operation: {
        operationId: 'setLogLevel',
        summary: 'Change the level of the log until the process ends',
        tags: ['log'],
        requestBody: { required: true, content: { 'text/plain': { schema: level } } },
        responses: {
          200: answerOf('The new level.', chosen),
          400: answerOf('No such level: the level is as it was.', chosen),
          413: answerOf('The body has more than 64 bytes.', failure),
          415: answerOf('The body is compressed or in an unknown charset.', failure),
        },
      },
      examples: {
        level: { summary: 'A level', body: 'info' },
        unknown: { summary: 'No such level', body: 'loud' },
      },
    },
  ];
}
