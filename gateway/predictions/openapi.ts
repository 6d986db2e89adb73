/** Predictions as openapi.json describes them: scores of pictures, and outputs of records. */
import { z } from 'zod';
import { METHOD_NAMES } from '../domain/explanation.ts';
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
const numbers = z.record(z.string(), z.number());
const extent = { height: z.int(), width: z.int() };
const grid = z
  .strictObject({ ...extent, rows: z.int(), columns: z.int(), values: z.array(z.array(z.number())) })
  .meta({ id: 'AttributionGrid', description: 'Of equal cells of the picture that the model sees, row by row.' });
const regions = z
  .strictObject({
    ...extent,
    regions: z.array(
      z.strictObject({
        attribution: z.number(),
        pixels: z.int(),
        box: z.array(z.int()).length(4).describe('Top, left, bottom, right.'),
      }),
    ),
    labels: z.array(z.int()).describe('The region and the number of pixels of each run, row by row.'),
  })
  .meta({ id: 'AttributionRegions', description: 'Of regions of the picture that the model sees.' });
const explanation = z
  .strictObject({
    method: z.enum(METHOD_NAMES),
    target: z.string(),
    baseline: z.string(),
    baseline_score: z.number(),
    score: z.number().describe('What the model gives for the target.'),
    attributions: z.union([grid, regions, numbers]),
    standard_error: z.union([numbers, z.array(z.number())]).nullable(),
    calls: z.int().describe('Inputs that the model has scored.'),
    completeness: z.strictObject({
      sum: z.number(),
      difference: z.number(),
      tolerance: z.number().nullable(),
      holds: z.boolean().nullable(),
    }),
  })
  .meta({ id: 'Explanation', description: 'What has moved the score: `explain`.' });
const explanations = z.array(explanation.nullable()).optional();
const scoreList = z
  .array(z.strictObject({ class: z.string(), score: z.number() }))
  .meta({ id: 'ScoreList', description: 'Classes with their scores: `format=list`.' });
const failed = z
  .object({ error: failureSchema })
  .catchall(idSchema)
  .meta({ id: 'FailedPrediction', description: 'A prediction that failed. Others of the same request did not.' });
const named = z
  .object({ id, outlier: outlier.optional(), explanations: explanation.optional() })
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
    explanations,
  })
  .meta({ id: 'Predictions' });

/** The answer of one picture with `format=list`. */
export const listedScoresSchema = z
  .object({ id, outlier: outlier.optional(), explanations: explanation.optional(), predictions: scoreList })
  .catchall(idSchema)
  .meta({ id: 'ListedScores' });
