/** The JSON body of a prediction on a hosting platform: instances in one of the shapes, and parameters. */
import type { Table } from '../../domain/table.ts';
import { GatewayError } from '../../errors.ts';
import { tooManyInstances } from '../../http/body-limits.ts';
import type { JsonFormat } from '../../http/json/format.ts';
import { parseExactJson } from '../../tensor/exact-json.ts';
import { memoryOfPictures, type Pictures, readPictures, VALUES_OF_PICTURE } from '../../tensor/pictures.ts';
import { isRecord } from '../../tensor/record-id.ts';
import { memoryOfRecords, type Records, readRecords } from '../../tensor/records.ts';
import { type Form, readParameters } from './parameters.ts';
import { readShape } from './shapes.ts';

/** The instances are pictures for a model that takes them, and records for any other. */
export type JsonBody = { readonly form: Form; readonly pictures?: Pictures; readonly records?: Records };

/** `table`: how the model's records are read; undefined for a model that takes pictures. */
export type JsonOptions = {
  readonly table: Table | undefined;
  readonly maxInstances: number;
  readonly maxBodyBytes: number;
};

/** Lists inside of each other: more than any tensor has axes. */
const MAX_DEPTH = 64;
/** JSON values for what is beside the pictures. */
const OTHER_VALUES = 1000;
/** JSON takes up to about 32 bytes of memory for each value, and the thread that parses it may use four times the body. */
const BYTES_OF_VALUE = 16;

export const format: JsonFormat<JsonOptions, JsonBody> = {
  module: import.meta.url,
  example: '{"instances": [{"url": "https://…/pants.jpg"}]} or {"instances": [{"tenure": 24, "contract": "one year"}]}',
  limits: ({ table, maxInstances, maxBodyBytes }) =>
    table
      ? {
          maxDepth: MAX_DEPTH,
          maxValues: Math.max(OTHER_VALUES, Math.floor(maxBodyBytes / BYTES_OF_VALUE)),
          setting: 'MAX_BODY_BYTES',
        }
      : {
          maxDepth: MAX_DEPTH,
          maxValues: OTHER_VALUES + maxInstances * VALUES_OF_PICTURE,
          setting: 'MAX_INSTANCES',
        },
  parse: parseExactJson,
  read: readBody,
  memory: ({ pictures, records }) => [
    ...memoryOfPictures(pictures?.instances ?? []),
    ...(records ? memoryOfRecords(records) : []),
  ],
};

/** Throws `invalid_request` with the place of the first mistake, and `body_too_large` for too many pictures. */
function readBody(body: unknown, { table, maxInstances }: JsonOptions): JsonBody {
  if (!isRecord(body)) throw new GatewayError('invalid_request', 'body: needs an object with a list of instances');
  const form = 'params' in body ? readParameters(body.params, 'params') : readParameters(body.parameters, 'parameters');
  const { items, place } = readShape(body);
  if (table) return { form, records: readRecords(items, table, place) };
  if (items.length > maxInstances) throw tooManyInstances(maxInstances);
  return { form, pictures: readPictures(items, place) };
}
