/** POST /predict as openapi.json describes it. */
import { z } from 'zod';
import { versionHeaders } from '../../http/openapi/headers.ts';
import { BODY, MODEL, PICTURES, refusals } from '../../http/openapi/refusals.ts';
import { answerOf, type DescribedRoute, type DescribedSettings, type Example } from '../../http/openapi/route.ts';
import { CREDIT_RECORD, TINY_PICTURE } from '../../http/openapi/samples.ts';
import { listedScoresSchema, predictionSchema, predictionsSchema } from '../../predictions/openapi.ts';
import { instanceSchema, recordSchema, valueSchema } from '../../tensor/openapi.ts';
import { pictureSchema } from '../../tensor/pictures.ts';
import { parameters } from './parameters.ts';

/** The body is JSON, a form or a picture. Which JSON, depends on the model. */
const jsonSchema = ({ maxInstances }: DescribedSettings) =>
  z.union([
    pictureSchema,
    z.object({ instances: z.array(pictureSchema).min(1).max(maxInstances) }).meta({ id: 'Pictures' }),
    recordSchema,
    z.strictObject({ instances: z.array(instanceSchema).min(1) }).meta({ id: 'Records' }),
  ]);

const file = z.string().meta({ override: { type: 'string', format: 'binary' } });
const formSchema = ({ maxInstances }: DescribedSettings) =>
  z.strictObject({ file: z.array(file).min(1).max(maxInstances), ...parameters.shape }).meta({
    id: 'PictureForm',
    description: 'Each part named `file` is a picture. The parameters may be text fields.',
  });

/** The route for openapi.json. */
export function describePredict(settings: DescribedSettings): DescribedRoute[] {
  const picture = { schema: file };
  return [
    {
      method: 'post',
      path: '/predict',
      examples: EXAMPLES,
      operation: {
        operationId: 'predict',
        summary: 'Predict pictures or records',
        description:
          'A model that takes pictures answers the scores of its classes. Any other model takes records, as JSON only. ' +
          'The answer is one prediction for one instance, and a list for `instances` or several files.',
        tags: ['predictions'],
        requestParams: { query: parameters },
        requestBody: {
          required: true,
          content: {
            'application/json': { schema: jsonSchema(settings) },
            'multipart/form-data': { schema: formSchema(settings) },
            'image/*': picture,
            'application/octet-stream': picture,
          },
        },
        responses: {
          200: answerOf(
            'The predictions.',
            z.union([predictionsSchema, listedScoresSchema, predictionSchema, valueSchema]),
            versionHeaders,
          ),
          ...refusals([...BODY, 'unsupported_media', ...MODEL, ...PICTURES]),
        },
      },
    },
    {
      method: 'post',
      path: '/predict/pixels',
      examples: {
        records: { summary: 'A model that takes no pictures', parameters: { model: 'credit' }, body: TINY_PICTURE },
      },
      operation: {
        operationId: 'seePixels',
        summary: 'The pixels that a model sees of a picture, as a PNG',
        description:
          'The picture as it is after decoding and resizing, before its samples are scaled. Samples are rounded to 8 bits.',
        tags: ['predictions'],
        requestParams: { query: parameters.pick({ model: true, version: true, label: true }) },
        requestBody: {
          required: true,
          content: {
            'application/json': { schema: pictureSchema },
            'image/*': picture,
            'application/octet-stream': picture,
          },
        },
        responses: {
          200: answerOf('The pixels.', file, versionHeaders, 'image/png'),
          ...refusals([...BODY, 'unsupported_media', ...MODEL, ...PICTURES]),
        },
      },
    },
  ];
}

const EXAMPLES: Readonly<Record<string, Example>> = {
  picture: { summary: 'A picture in base64', parameters: { top: 3 }, body: TINY_PICTURE },
  pictures: {
    summary: 'Pictures with ids, as lists of classes',
    parameters: { top: 2, scores: 'probabilities', format: 'list', model: 'clothing-model' },
    body: { instances: [{ ...TINY_PICTURE, id: 7 }, TINY_PICTURE] },
  },
  outlier: {
    summary: 'How unusual a picture is',
    parameters: { top: 1, outlier: 'true', model: 'clothing-model' },
    body: TINY_PICTURE,
  },
  explanation: {
    summary: 'What has moved the score of a record',
    parameters: { model: 'credit', explain: 'shapley', 'explain.samples': 42 },
    body: CREDIT_RECORD,
  },
  record: { summary: 'A record', parameters: { model: 'credit' }, body: CREDIT_RECORD },
  records: {
    summary: 'Records in a form of their own, with ids',
    parameters: { model: 'ride-duration' },
    body: {
      instances: [
        { ride_id: 'a', ride: { PULocationID: 100, DOLocationID: 102, trip_distance: 30 } },
        { ride_id: 'b', ride: { PULocationID: 100, DOLocationID: 102, trip_distance: 3.5 } },
      ],
    },
  },
  forbidden: {
    summary: 'A picture at an address that is not fetched from',
    body: { url: 'http://169.254.169.254/latest/meta-data/' },
  },
  mistake: {
    summary: 'A record with a mistake',
    parameters: { model: 'credit' },
    body: { ...CREDIT_RECORD, duration: 'abc' },
  },
  unknown: { summary: 'A model that is not there', parameters: { model: 'none' }, body: CREDIT_RECORD },
};
