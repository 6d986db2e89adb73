/** The examples of a model as openapi.json describes them. */
import { z } from 'zod';
import type { Examples } from '../../model/examples.ts';
import { doorHeaders } from './headers.ts';
import { MODEL, refusals } from './refusals.ts';
import { answerOf, type DescribedRoute } from './route.ts';

const field = z.object({
  name: z.string(),
  from: z
    .enum(['model.yaml', 'examples'])
    .describe('model.yaml: what the model takes. examples: what its examples have; it may take other values too.'),
  about: z.string().exactOptional(),
  choices: z.array(z.union([z.string(), z.number()])).exactOptional(),
  minimum: z.number().exactOptional(),
  maximum: z.number().exactOptional(),
});
const examples: z.ZodType<Examples> = z
  .object({
    pictures: z.array(z.string()).describe('Names of pictures, for a model that takes pictures.'),
    records: z.array(z.record(z.string(), z.unknown())).describe('Records, for a model that takes records.'),
    fields: z
      .array(field)
      .describe('What is known of each field of a record: its choices, or its smallest and largest number.'),
  })
  .meta({ id: 'Examples' });

const model = z.string().describe('The name of a model.');
const picture = z.string().describe('The name of an example.');
const refused = refusals(['not_found', ...MODEL]);

/** The routes for openapi.json. */
export function describeExamples(): DescribedRoute[] {
  const file = z.string().meta({ override: { type: 'string', format: 'binary' } });
  return [
    {
      method: 'get',
      path: '/models/{model}/examples',
      examples: { records: { summary: 'Records', parameters: { model: 'ride-duration' } } },
      operation: {
        operationId: 'listExamples',
        summary: 'Instances to try a model with',
        tags: ['models'],
        requestParams: { path: z.object({ model }) },
        responses: { 200: answerOf('Pictures or records.', examples, doorHeaders), ...refused },
      },
    },
    {
      method: 'get',
      path: '/models/{model}/examples/{picture}',
      examples: {
        unknown: {
          summary: 'A name that is not there',
          parameters: { model: 'clothing-model', picture: 'cat.jpg' },
        },
      },
      operation: {
        operationId: 'getExample',
        summary: 'An example picture',
        tags: ['models'],
        requestParams: { path: z.object({ model, picture }) },
        responses: { 200: answerOf('The picture.', file, doorHeaders, 'image/*'), ...refused },
      },
    },
  ];
}
