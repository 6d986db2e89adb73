/** Predictions as openapi.json describes them: scores of pictures, and outputs of records. */
import { z } from 'zod';
import { failureSchema } from '../http/openapi/refusals.ts';
import { idSchema, valueSchema } from '../tensor/openapi.ts';

const id = idSchema.optional().describe('The id of the instance, where it has one.');
const scoreList = z
  .array(z.strictObject({ class: z.string(), score: z.number() }))
  .meta({ id: 'ScoreList', description: 'Classes with their scores: `format=list`.' });
const failed = z
  .object({ error: failureSchema })
  .catchall(idSchema)
  .meta({ id: 'FailedPrediction', description: 'A prediction that failed. Others of the same request did not.' });
const named = z
  .object({ id })
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
  .object({ id, predictions: scoreList })
  .catchall(idSchema)
  .meta({ id: 'ListedScores' });
