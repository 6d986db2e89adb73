/** The JSON body of POST /feedback: the true label of a prediction, or a list of them. */
import { z } from 'zod';
import { GatewayError } from '../../errors.ts';
import type { JsonFormat } from '../../http/json/format.ts';
import { MAX_ID_LENGTH } from '../../pipeline/given-ids.ts';

/** Labels in one request: they are copied between threads. */
export const MAX_LABELS = 1000;
/** Of an id, and of a label. */
const MAX_LENGTH = MAX_ID_LENGTH;
/** JSON values of one label: the object, the id and the label. One more for each is a field that is refused. */
const VALUES_OF_LABEL = 4;

/** `types`: what it may be besides a number. Larger whole numbers are rounded before they are read. */
function textOrNumber<Other extends z.ZodType>(types: string, ...others: Other[]) {
  const error = { error: `needs ${types} of 1 to ${MAX_LENGTH} characters, or a number below 2^53` };
  const text = z.string().min(1, error).max(MAX_LENGTH, error);
  const number = z.number().min(Number.MIN_SAFE_INTEGER, error).max(Number.MAX_SAFE_INTEGER, error);
  return z.union([text, number, ...others], error);
}

const AN_OBJECT = 'needs an object such as {"id": "42", "label": "pants"}';

export const labelSchema = z
  .strictObject(
    {
      id: textOrNumber('a string').describe(
        'The id of the instance, else the X-Request-Id of its answer, followed by [ROW] for one of several instances.',
      ),
      label: textOrNumber('true, false, a string', z.boolean()).describe('The right class.'),
    },
    { error: ({ code }) => (code === 'unrecognized_keys' ? undefined : AN_OBJECT) },
  )
  .meta({ id: 'Label', description: 'What a prediction should have been.' });

export const feedbackSchema = z.union([labelSchema, z.array(labelSchema).min(1).max(MAX_LABELS)]);

export type Label = { readonly id: string; readonly label: string };

export const format: JsonFormat<undefined, readonly Label[]> = {
  module: import.meta.url,
  example: '{"id": "42", "label": "pants"} or a list of them',
  limits: () => ({ maxDepth: 2, maxValues: 1 + MAX_LABELS * VALUES_OF_LABEL }),
  read: readLabels,
  memory: () => [],
};

/** Throws `invalid_request` with the place of the first mistake: `[3].label: needs …`. */
function readLabels(body: unknown): Label[] {
  if (!Array.isArray(body)) return [readLabel(body, '')];
  if (body.length === 0) throw new GatewayError('invalid_request', 'body: the list must not be empty');
  if (body.length > MAX_LABELS) throw new GatewayError('body_too_large', `body: at most ${MAX_LABELS} labels at once`);
  return body.map((item, row) => readLabel(item, `[${row}]`));
}

/** Half a surrogate pair is valid in JSON, but many readers of the log refuse it. */
function textOf(value: unknown): string {
  return String(value).toWellFormed();
}

function readLabel(item: unknown, place: string): Label {
  const parsed = labelSchema.safeParse(item);
  if (parsed.success) return { id: textOf(parsed.data.id), label: textOf(parsed.data.label) };
  const [issue] = parsed.error.issues;
  const [unknown] = issue?.code === 'unrecognized_keys' ? issue.keys : [];
  const path = [
    ...(place ? [place] : []),
    ...(issue?.path ?? []),
    ...(unknown === undefined ? [] : [unknown.slice(0, 80)]),
  ];
  const what = unknown === undefined ? issue?.message : 'no such field; send id and label';
  throw new GatewayError('invalid_request', `${path.join('.') || 'body'}: ${what}`);
}
