/** Predictions as openapi.json describes them: scores of pictures, and outputs of records. */
import { z } from 'zod';
import { failureSchema } from '../http/openapi/refusals.ts';
import { idSchema, valueSchema } from '../tensor/openapi.ts';

const id = idSchema.optional().describe('The id of the instance, where it has one.');
const percentile = z.number().min(0).max(100).nullable();
const outlier = z
  .strictObject({
    energy: z
      .number()
      .nullable()
      .describe('The energy score of the logits: higher for inputs unlike those of training.'),
    energy_percentile: percentile.describe('The share of the baseline with a lower energy.'),
    distance: z.number().nullable().describe('From what is typical of the baseline, in standard deviations.'),
    distance_percentile: percentile.describe('The share of the baseline that is nearer.'),
    feature: z.string().nullable().describe('The feature that is the farthest.'),
  })
  .meta({
    id: 'Outlier',
    description: 'How unusual the input is: `outlier=true`. Null where there is nothing to compare.',
  });
const scoreList = z
  .array(z.strictObject({ class: z.string(), score: z.number() }))
  .meta({ id: 'ScoreList', description: 'Classes with their scores: `format=list`.' });
const failed = z
  .object({ error: failureSchema })
  .catchall(idSchema)
  .meta({ id: 'FailedPrediction', description: 'A prediction that failed. Others of the same request did not.' });
const named = z
  .object({ id, outlier: outlier.optional() })
  .catchall(z.union([valueSchema, z.boolean(), scoreList]))
  .meta({
    id: 'Prediction',
    description:
      'The scores of a picture by the names of the classes, or the outputs of a record by their names, with the ' +
      'decision and the version where model.yaml asks for them. `scores` has the list of `format=list` beside an id.',
  });

/** One prediction. */
export const predictionSchema = named;

/** A list of predictions, one for each instance, in their order. */
export const predictionsSchema = z
  .strictObject({
    predictions: z.array(
      z.union([failed, named, scoreList, valueSchema]).meta({
        id: 'PredictionOfInstance',
        description: 'An object, a list of classes, the plain value of the only output, or an error.',
      }),
    ),
  })
  .meta({ id: 'Predictions' });

/** The answer of one picture with `format=list`. */
export const listedScoresSchema = z
  .object({ id, outlier: outlier.optional(), predictions: scoreList })
  .catchall(idSchema)
  .meta({ id: 'ListedScores' });
