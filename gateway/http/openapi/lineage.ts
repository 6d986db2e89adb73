/** The lineage of a version as openapi.json describes it. */
import { z } from 'zod';
import type { Lineage } from '../../model/lineage.ts';
import { doorHeaders } from './headers.ts';
import { refusals } from './refusals.ts';
import { answerOf, type DescribedRoute } from './route.ts';

const figures = z.record(z.string(), z.number());
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const lineage: z.ZodType<Lineage> = z
  .object({
    model: z.string(),
    version: z.int(),
    run_id: z.string().describe('The run in MLflow.'),
    commit: z.string().nullable().describe('Of the code that trained it.'),
    dirty: z.boolean().nullable().describe('Whether the code had changes that are not in the commit.'),
    data_sha256: sha256.describe('The fingerprint of all photos or rows.'),
    weights_sha256: sha256.nullable().describe('Of the file that training started from.'),
    seed: z.number().nullable(),
    settings: z.record(z.string(), z.unknown()),
    environment: z.record(z.string(), z.string()),
    cause: z
      .object({
        alert: z.string(),
        model: z.string(),
        version: z.string(),
        feature: z.string(),
        starts_at: z.string(),
      })
      .nullable()
      .describe('The alert that started the training.'),
    metrics: z.object({ test: figures, validation: figures }),
    gate: z
      .object({ decision: z.string(), against: z.number().nullable().describe('The version that was in service.') })
      .nullable(),
    parity: z.object({ sha256, samples: z.int(), tolerance: z.number() }).nullable(),
    baseline: z
      .object({ sha256, rows: z.int(), source: z.string().nullable(), features: z.array(z.string()) })
      .nullable(),
  })
  .meta({ id: 'Lineage' });

/** The route for openapi.json. */
export function describeLineage(): DescribedRoute[] {
  return [
    {
      method: 'get',
      path: '/v1/models/{model}/versions/{version}/lineage',
      operation: {
        operationId: 'getLineage',
        summary: 'How a version was made',
        description: 'What training has recorded. A failure is `application/problem+json`.',
        tags: ['models'],
        requestParams: {
          path: z.object({ model: z.string().describe('The name of a model.'), version: z.string().regex(/^\d+$/) }),
        },
        responses: {
          200: answerOf('Run, data, code, metrics, and what the version is compared with.', lineage, doorHeaders),
          ...refusals(['invalid_request', 'not_found', 'model_not_found', 'model_failed']),
        },
      },
      examples: {
        version: { summary: 'A version', parameters: { model: 'clothing-model', version: 3 } },
        unrecorded: { summary: 'A version without a record', parameters: { model: 'clothing-model', version: 1 } },
      },
    },
  ];
}
