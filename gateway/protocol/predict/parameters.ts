/** The parameters of POST /predict: in the query, or in text fields of a form (`curl -F model=churn`). */
import { z } from 'zod';
import { GatewayError } from '../../errors.ts';
import { explainShape, refuseUnknown } from '../../explain/options.ts';
import type { FormFields } from '../../http/form.ts';

/**
 * Versions are int64 in TF-Serving. A larger one would be rounded in JSON (RFC 8259, 6) and in metrics, which are float64,
 * and would then name another version.
 */
const VERSION = `a whole number from 0 to 2^53 - 1 (${Number.MAX_SAFE_INTEGER})`;

const ONCE = 'give it once';
const once = { error: ONCE };
const oneOf = <const Words extends readonly string[]>(words: Words) =>
  z.enum(words, { error: ({ input }) => (Array.isArray(input) ? ONCE : words.join(' or ')) });
/** Digits in a query or form. openapi.json says which number they mean. */
const wholeNumber = (minimum: number, maximum: number, message: string) =>
  z
    .string(once)
    .regex(/^(0|[1-9]\d{0,15})$/, message)
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, message)
    .meta({
      override({ jsonSchema }) {
        delete jsonSchema.pattern;
        Object.assign(jsonSchema, { type: 'integer', minimum, maximum });
      },
    });

export const parameters = z.object({
  top: wholeNumber(1, 999_999, 'a whole number above zero').optional().describe('Only the K best classes, best first.'),
  scores: oneOf(['raw', 'probabilities']).default('raw').describe('What the model gives, or probabilities.'),
  format: oneOf(['map', 'list'])
    .default('map')
    .describe('Scores by the names of the classes, or a list of classes with scores.'),
  outlier: oneOf(['true', 'false'])
    .default('false')
    .describe('Whether to say how unusual each input is: its energy score and its distance from the baseline.'),
  model: z
    .string(once)
    .min(1, 'the name of a model')
    .optional()
    .describe(
      'The model. Without it that of MODEL_NAME answers, else the only one that takes images, else the only one.',
    ),
  version: wholeNumber(0, Number.MAX_SAFE_INTEGER, VERSION).optional().describe('The version of the model.'),
  label: z
    .string(once)
    .min(1, 'the name of a label')
    .optional()
    .describe('A label of a version, in place of a version.'),
  ...explainShape,
});
const checked = parameters.refine(({ version, label }) => version === undefined || label === undefined, {
  path: ['label'],
  message: 'give either a version or a label',
});

export type PredictParameters = z.output<typeof checked>;

const NAMES: readonly string[] = Object.keys(parameters.shape);

/** Parses the query. Unknown parameters are ignored. Throws `invalid_request`. */
export function parsePredictQuery(query: object | undefined): PredictParameters {
  refuseUnknown(Object.keys(query ?? {}), 'query ');
  return parse(query, 'query ');
}

/** Parses the query together with the text fields of a form. Throws `invalid_request`, also for unknown fields. */
export function parsePredictForm(query: object, fields: FormFields): PredictParameters {
  const names = Object.keys(fields);
  const unknown = names.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) {
    const detail = `${unknown.slice(0, 80)}: not a field here; a form has parts named file, and ${NAMES.join(', ')}.`;
    throw new GatewayError('invalid_request', detail);
  }
  const twice = names.find((name) => name in query);
  if (twice !== undefined) throw new GatewayError('invalid_request', `${twice}: give it in the query or in the form`);
  return parse({ ...query, ...fields }, '');
}

/** `place`: where the parameters are, for the error text. */
function parse(given: unknown, place: string): PredictParameters {
  const parsed = checked.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new GatewayError('invalid_request', `${place}${issue?.path.join('.')}: ${issue?.message}`);
}
