/** The JSON body of POST /predict for a model that takes records: one record, or a list of `instances`. */
import type { Table } from '../../domain/table.ts';
import { GatewayError } from '../../errors.ts';
import type { JsonFormat } from '../../http/json/format.ts';
import { parseExactJson } from '../../tensor/exact-json.ts';
import { memoryOfRecords, type Records, readRecords } from '../../tensor/records.ts';

/** `flat`: the answer is one prediction, not a list of predictions. */
export type RecordsBody = Records & { readonly flat: boolean };

export type RecordsOptions = { readonly table: Table; readonly maxBodyBytes: number };

/** Lists inside of each other: more than any tensor has axes. */
const MAX_DEPTH = 64;
/** JSON takes up to about 32 bytes of memory for each value, and the thread that parses it may use four times the body. */
const BYTES_OF_VALUE = 16;

export const format: JsonFormat<RecordsOptions, RecordsBody> = {
  module: import.meta.url,
  example: '{"instances": [{"tenure": 24, "contract": "one year"}]}',
  limits: ({ maxBodyBytes }) => ({
    maxDepth: MAX_DEPTH,
    maxValues: Math.max(1000, Math.floor(maxBodyBytes / BYTES_OF_VALUE)),
    setting: 'MAX_BODY_BYTES',
  }),
  parse: parseExactJson,
  read: readBody,
  memory: memoryOfRecords,
};

/** A body with `instances` is a list. Throws `invalid_request` with the place of the first mistake. */
function readBody(body: unknown, { table }: RecordsOptions): RecordsBody {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  if (!isObject) throw new GatewayError('invalid_request', `body: needs an object such as ${format.example}`);
  const { instances, ...others } = body as { readonly instances?: unknown };
  if (instances === undefined) return { ...readRecords([body], table, () => ''), flat: true };
  const [other] = Object.keys(others);
  if (other !== undefined) {
    const detail = `${other.slice(0, 80)}: give either instances or one record`;
    throw new GatewayError('invalid_request', detail);
  }
  if (!Array.isArray(instances)) throw new GatewayError('invalid_request', 'instances: needs a list of records');
  if (instances.length === 0) throw new GatewayError('invalid_request', 'instances: must not be empty');
  return { ...readRecords(instances, table, (row) => `instances[${row}]`), flat: false };
}
