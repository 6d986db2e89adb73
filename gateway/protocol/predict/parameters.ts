/** The parameters of POST /predict: in the query, or in text fields of a form (`curl -F model=churn`). */
import { z } from 'zod';
import { GatewayError } from '../../errors.ts';
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
const parameters = z.object({
  top: z
    .string(once)
    .regex(/^[1-9]\d{0,5}$/, 'a whole number above zero')
    .transform(Number)
    .optional(),
  scores: oneOf(['raw', 'probabilities']).default('raw'),
  format: oneOf(['map', 'list']).default('map'),
  model: z.string(once).min(1, 'the name of a model').optional(),
  version: z
    .string(once)
    .regex(/^(0|[1-9]\d{0,15})$/, VERSION)
    .transform(Number)
    .refine(Number.isSafeInteger, VERSION)
    .optional(),
  label: z.string(once).min(1, 'the name of a label').optional(),
});
const checked = parameters.refine(({ version, label }) => version === undefined || label === undefined, {
  path: ['label'],
  message: 'give either a version or a label',
});

export type PredictParameters = z.output<typeof checked>;

const NAMES: readonly string[] = Object.keys(parameters.shape);

/** Parses the query. Unknown parameters are ignored. Throws `invalid_request`. */
export function parsePredictQuery(query: unknown): PredictParameters {
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
