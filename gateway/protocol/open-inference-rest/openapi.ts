/** The Open Inference Protocol over REST as openapi.json describes it. */
import { z } from 'zod';
import { doorHeaders, versionHeaders } from '../../http/openapi/headers.ts';
import { BODY, errorTextBody, MODEL, PICTURES, refusals } from '../../http/openapi/refusals.ts';
import { answerOf, type DescribedRoute } from '../../http/openapi/route.ts';
import { TINY_PICTURE } from '../../http/openapi/samples.ts';
import { JSON_LENGTH } from './contents.ts';
import * as schemas from './schemas.ts';

const tags = ['Open Inference Protocol'];

/** The routes for openapi.json. Health needs no API key. */
export function describeOpenInferenceRest(): DescribedRoute[] {
  return [live, ready, server, ...ofModel(metadata), ...ofModel(modelReady), ...ofModel(infer)];
}

/** The route for the latest version, and for a version. */
function ofModel({ end, operation, ...route }: Omit<DescribedRoute, 'path'> & { readonly end: string }) {
  const { examples, ...others } = route;
  const requestParams = { ...operation.requestParams, path: schemas.modelPath };
  const ofVersion = { ...operation.requestParams, path: schemas.versionPath };
  const { operationId } = operation;
  return [
    { ...route, path: `/v2/models/{model}${end}`, operation: { ...operation, requestParams } },
    {
      ...others,
      path: `/v2/models/{model}/versions/{version}${end}`,
      operation: { ...operation, operationId: `${operationId}OfVersion`, requestParams: ofVersion },
    },
  ];
}

const live: DescribedRoute = {
  method: 'get',
  path: '/v2/health/live',
  operation: {
    operationId: 'serverLive',
    summary: 'Whether the process responds',
    tags,
    security: [],
    responses: { 200: answerOf('It does.', z.object({ live: z.literal(true) })) },
  },
  examples: { live: { summary: 'A gateway' } },
};

const readiness = z.object({ ready: z.boolean() });

const ready: DescribedRoute = {
  method: 'get',
  path: '/v2/health/ready',
  operation: {
    operationId: 'serverReady',
    summary: 'Whether a prediction would work',
    tags,
    security: [],
    responses: { 200: answerOf('Ready.', readiness), 503: answerOf('Not ready.', readiness) },
  },
  examples: { ready: { summary: 'A gateway with the committed models' } },
};

const server: DescribedRoute = {
  method: 'get',
  path: '/v2',
  operation: {
    operationId: 'serverMetadata',
    summary: 'The name and version of the gateway',
    tags,
    responses: {
      200: answerOf('The gateway.', schemas.serverMetadata, doorHeaders),
      ...refusals([], errorTextBody),
    },
  },
  examples: { server: { summary: 'A gateway' } },
};

const metadata = {
  method: 'get',
  end: '',
  operation: {
    operationId: 'modelMetadata',
    summary: 'The inputs and outputs of a model',
    tags,
    responses: {
      200: answerOf('The model.', schemas.modelMetadata, doorHeaders),
      ...refusals(MODEL, errorTextBody),
    },
  },
  examples: { credit: { summary: 'A model', parameters: { model: 'credit' } } },
} as const;

const modelReady = {
  method: 'get',
  end: '/ready',
  operation: {
    operationId: 'modelReady',
    summary: 'Whether a model would answer',
    tags,
    responses: {
      200: answerOf('It would.', z.object({ name: z.string(), ready: z.literal(true) }), doorHeaders),
      ...refusals(MODEL, errorTextBody),
    },
  },
  examples: {
    credit: { summary: 'A model', parameters: { model: 'credit' } },
    unknown: { summary: 'A model that is not there', parameters: { model: 'none' } },
  },
} as const;

const binary = z.object({
  [JSON_LENGTH]: z.int().min(1).optional().describe('The bytes of the JSON, where binary data follows it.'),
});
const tensor = (name: string, datatype: string, ...data: (string | number)[]) => ({
  name,
  datatype,
  shape: [data.length],
  data,
});

const infer = {
  method: 'post',
  end: '/infer',
  operation: {
    operationId: 'infer',
    summary: 'Predict tensors',
    description:
      'Tensors are in the JSON, or binary data behind it (little-endian; BYTES with the length of each in 4 bytes). A model ' +
      'with an image input also takes encoded pictures as BYTES. The body is read so, whatever its Content-Type is.',
    tags,
    requestParams: { header: binary },
    requestBody: { required: true, content: { 'application/json': { schema: schemas.inferBody } } },
    responses: {
      200: {
        description: 'The outputs. With binary data the type is application/octet-stream.',
        headers: versionHeaders.extend({
          [JSON_LENGTH]: z.string().optional().describe('The bytes of the JSON, where binary data follows it.'),
        }),
        content: {
          'application/json': { schema: schemas.inferAnswer },
          'application/octet-stream': { schema: z.string().meta({ override: { type: 'string', format: 'binary' } }) },
        },
      },
      ...refusals([...BODY, ...MODEL, ...PICTURES, 'unsupported_media'], errorTextBody),
    },
  },
  examples: {
    records: {
      summary: 'Two records',
      parameters: { model: 'credit' },
      body: {
        id: 'a',
        inputs: [
          tensor('job', 'BYTES', 'student', 'retired'),
          tensor('duration', 'INT64', 280, 28),
          tensor('poutcome', 'BYTES', 'failure', 'success'),
        ],
      },
    },
    picture: {
      summary: 'An encoded picture',
      parameters: { model: 'clothing-model' },
      body: { inputs: [{ name: 'image', datatype: 'BYTES', shape: [1], data: [TINY_PICTURE] }] },
    },
    mistake: {
      summary: 'An input with too few values',
      parameters: { model: 'credit' },
      body: { inputs: [{ name: 'duration', datatype: 'INT64', shape: [2], data: [280] }] },
    },
  },
} as const;
