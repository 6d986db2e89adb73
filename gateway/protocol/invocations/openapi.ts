/** POST /invocations and Vertex AI's route as openapi.json describes them. */
import { z } from 'zod';
import { versionHeaders } from '../../http/openapi/headers.ts';
import { BODY, MODEL, PICTURES, refusals } from '../../http/openapi/refusals.ts';
import {
  answerOf,
  type DescribedRoute,
  type DescribedSettings,
  type Example,
  textHeader,
} from '../../http/openapi/route.ts';
import { CREDIT_RECORD, TINY_PICTURE } from '../../http/openapi/samples.ts';
import { predictionsSchema } from '../../predictions/openapi.ts';
import { instanceSchema, valueSchema } from '../../tensor/openapi.ts';
import { pictureSchema } from '../../tensor/pictures.ts';
import { parametersSchema } from './parameters.ts';

const instances = z.array(z.union([pictureSchema, instanceSchema])).min(1);
const columns = z.record(z.string(), z.array(valueSchema));
const split = z.object({ columns: z.array(z.string()).nullish(), data: z.array(z.unknown()).min(1) });

/** One of the shapes, with the parameters of Vertex AI or those of MLflow. */
const body = z
  .object({
    instances: instances.nullish().describe("Vertex AI's and TensorFlow's."),
    inputs: z.union([instances, columns]).nullish().describe("MLflow's: a list, or a list for each input."),
    dataframe_records: instances.nullish().describe("MLflow's: a list of records."),
    dataframe_split: split.nullish().describe("MLflow's: a table of pandas with `orient=split`."),
    parameters: parametersSchema.nullish(),
    params: parametersSchema.nullish(),
  })
  .meta({
    id: 'Invocation',
    oneOf: [
      shape('instances', 'array'),
      shape('inputs', 'array', 'object'),
      shape('dataframe_records', 'array'),
      shape('dataframe_split', 'object'),
    ],
  });

/** The body has this member. */
function shape(name: string, ...type: ('array' | 'object')[]) {
  return { required: [name], properties: { [name]: { type } } };
}

const target = z.object({
  'X-Amzn-SageMaker-Target-Model': textHeader("The model, as SageMaker's clients name one of several: `churn.tar.gz`."),
});

/** The routes for openapi.json. Vertex AI chooses the path of the second one. */
export function describeInvocations({ predictRoute }: DescribedSettings): DescribedRoute[] {
  const picture = { schema: z.string().meta({ override: { type: 'string', format: 'binary' } }) };
  const route = (path: string, operationId: string, summary: string): DescribedRoute => ({
    method: 'post',
    path,
    answersOf: 'invoke',
    examples: EXAMPLES,
    operation: {
      operationId,
      summary,
      description: 'The answer is a list of predictions, one for each instance. The model is that of MODEL_NAME.',
      tags: ['platforms'],
      requestParams: { header: target },
      requestBody: {
        required: true,
        content: {
          'application/json': { schema: body },
          'image/*': picture,
          'application/x-image': picture,
          'application/octet-stream': picture,
        },
      },
      responses: {
        200: answerOf('The predictions.', predictionsSchema, versionHeaders),
        ...refusals([...BODY, 'unsupported_media', ...MODEL, ...PICTURES]),
      },
    },
  });
  const own = route('/invocations', 'invoke', "Predict, in SageMaker's and MLflow's form");
  if (predictRoute === undefined || predictRoute === own.path) return [own];
  return [own, route(predictRoute, 'predictOnVertexAi', "Predict, in Vertex AI's form")];
}

const CREDIT = { 'X-Amzn-SageMaker-Target-Model': 'credit.tar.gz' };

const EXAMPLES: Readonly<Record<string, Example>> = {
  pictures: {
    summary: "Pictures, and parameters in Vertex AI's form",
    body: { instances: [TINY_PICTURE], parameters: { top: 3 } },
  },
  records: {
    summary: 'Records with ids',
    parameters: CREDIT,
    body: {
      instances: [
        { ...CREDIT_RECORD, id: 'a' },
        { ...CREDIT_RECORD, id: 'b', duration: 28 },
      ],
    },
  },
  inputs: {
    summary: "MLflow's columns",
    parameters: CREDIT,
    body: { inputs: { job: ['student', 'retired'], duration: [280, 28], poutcome: ['failure', 'success'] } },
  },
  split: {
    summary: "MLflow's table",
    parameters: CREDIT,
    body: { dataframe_split: { columns: ['job', 'duration', 'poutcome'], data: [['student', 280, 'failure']] } },
  },
  mistake: { summary: 'A table without records', parameters: CREDIT, body: { instances: [] } },
};
