/** Instances and values as openapi.json describes them. The signature of a model says which types and shapes it takes. */
import { z } from 'zod';

/** An id as record-id.ts reads it. A whole number above 2^53 would be rounded by most clients. */
export const idSchema = z.unknown().meta({
  id: 'InstanceId',
  description: 'Comes back with the prediction. null: none.',
  type: ['string', 'number', 'boolean', 'null'],
  maxLength: 998,
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
});

const bytes = z.strictObject({ b64: z.string() }).meta({ id: 'Bytes', description: 'Bytes in base64 (RFC 4648).' });

/** A number, a string, a boolean, bytes, or lists of them. */
export const valueSchema: z.ZodType = z
  .union([z.number(), z.string(), z.boolean(), bytes, z.array(z.lazy(() => valueSchema))])
  .meta({
    id: 'Value',
    description:
      'An element of a tensor, or nested lists of elements. `NaN`, `Infinity` and `-Infinity` are strings. ' +
      'GET /models has the types and shapes of each model.',
  });

/** The values of one instance: by the names of the inputs, in the order of the columns, or the value of the only input. */
export const recordSchema = z
  .record(z.string(), z.union([valueSchema, z.record(z.string(), valueSchema)]))
  .meta({ id: 'Record', description: 'A value for each input of the model, and an `id` if it has to come back.' });
export const instanceSchema = z
  .union([recordSchema, valueSchema])
  .meta({ id: 'Instance', description: 'A record, a list of its values in the order of the columns, or one value.' });
