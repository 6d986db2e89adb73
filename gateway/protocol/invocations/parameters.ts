/** The parameters beside the instances: `parameters` on Vertex AI, `params` in MLflow. */
import { z } from 'zod';
import { GatewayError } from '../../errors.ts';
import { type ExplainOptions, explainShape, optionsOf, refuseUnknown } from '../../explain/options.ts';
import type { RecordsForm } from '../../predictions/record-members.ts';

/** The model is chosen before the body is read. A parameter that were ignored here would be answered by another model. */
const elsewhere = z
  .never('cannot be chosen here; MODEL_NAME or X-Amzn-SageMaker-Target-Model names the model')
  .optional();

/** Named as the query of /predict. Others are ignored: clients send those of other models. */
export const parametersSchema = z.object(
  {
    top: z
      .int('a whole number above zero')
      .min(1, 'a whole number above zero')
      .max(999_999, 'at most 999999')
      .nullish(),
    scores: z.enum(['raw', 'probabilities'], 'raw or probabilities').nullish(),
    format: z.enum(['map', 'list'], 'map or list').nullish(),
    outlier: z.boolean('true or false').nullish(),
    ...explainShape,
    model: elsewhere,
    version: elsewhere,
    label: elsewhere,
  },
  'needs an object',
);

/** What the parameters ask for. */
export type Form = RecordsForm & { readonly explain?: ExplainOptions | undefined };

export const NO_PARAMETERS: Form = { wants: 'raw', format: 'map', top: undefined, outlier: false };

/** Reads the parameters; `place` is their name. Throws `invalid_request`. */
export function readParameters(given: unknown, place: string): Form {
  if (given === undefined || given === null) return NO_PARAMETERS;
  if (typeof given === 'object') refuseUnknown(Object.keys(given), `${place}.`);
  const parsed = parametersSchema.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new GatewayError('invalid_request', `${[place, ...(issue?.path ?? [])].join('.')}: ${issue?.message}`);
  }
  const { top, scores, format, outlier } = parsed.data;
  const explain = optionsOf(parsed.data, `${place}.`);
  return { top: top ?? undefined, wants: scores ?? 'raw', format: format ?? 'map', outlier: outlier ?? false, explain };
}
