/** GET /models as openapi.json describes it. */
import { z } from 'zod';
import { SCORE_KINDS } from '../../domain/scores.ts';
import type { ListedModel } from '../../model/list.ts';
import { doorHeaders } from './headers.ts';
import { refusals } from './refusals.ts';
import { answerOf, type DescribedRoute } from './route.ts';

const tensor = z.object({
  name: z.string(),
  dtype: z.string().describe("A name of TensorFlow's DataType, such as DT_FLOAT."),
  shape: z.array(z.int()).nullable().describe('-1: any size; null: any rank.'),
});
const version = z.object({
  version: z.int(),
  state: z.enum(['UNKNOWN', 'START', 'LOADING', 'AVAILABLE', 'UNLOADING', 'END']),
  problem: z.string().exactOptional().describe('Why it never answers.'),
});
const model: z.ZodType<ListedModel> = z
  .object({
    name: z.string(),
    ready: z.boolean(),
    problem: z.string().exactOptional().describe('Why it is not ready.'),
    version: z.int().exactOptional().describe('The version for requests that name none.'),
    parity: z.enum(['proven', 'unproven', 'differing']).exactOptional(),
    takes: z.enum(['images', 'tensors']).exactOptional(),
    classes: z.array(z.string()).exactOptional(),
    scores: z.enum(SCORE_KINDS).exactOptional().describe('What the model gives for its classes.'),
    signature: z
      .object({ inputs: z.array(tensor), outputs: z.array(tensor) })
      .exactOptional()
      .describe('The inputs and outputs of a model that takes tensors.'),
    versions: z.array(version).describe('Every version that the model servers know, lowest first.'),
  })
  .meta({ id: 'Model' });

export function describeModels(): DescribedRoute[] {
  return [
    {
      method: 'get',
      path: '/models',
      operation: {
        operationId: 'listModels',
        summary: 'List the models',
        tags: ['models'],
        responses: {
          200: answerOf(
            'The models, with their classes or signatures.',
            z.object({ models: z.array(model) }),
            doorHeaders,
          ),
          ...refusals([]),
        },
      },
      examples: { models: { summary: 'The committed models' } },
    },
  ];
}
