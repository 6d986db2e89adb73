/** Fuzzes the JSON of hosting platforms, read for a model of pictures and for one of records. Reference: JSON.parse. */
import assert from 'node:assert/strict';
import type { Table } from '../../gateway/domain/table.ts';
import type { Kind } from '../../gateway/errors.ts';
import { decodeJson, readJson } from '../../gateway/http/json/format.ts';
import { JsonScanner } from '../../gateway/http/json/scanner.ts';
import { format, type JsonBody } from '../../gateway/protocol/invocations/json-body.ts';
import type { Parser } from './fuzz.ts';
import { refusalOf } from './refusal.ts';

const MAX_INSTANCES = 8;
const KINDS: readonly Kind[] = ['invalid_json', 'invalid_request', 'invalid_url', 'body_too_large'];
const table: Table = {
  signature: 'serving_default',
  inputs: [
    { name: 'tenure', dtype: 'DT_INT64', shape: [-1] },
    { name: 'contract', dtype: 'DT_STRING', shape: [-1] },
  ],
  outputs: [{ name: 'churn', dtype: 'DT_FLOAT', shape: [-1] }],
  columns: ['tenure', 'contract'],
};

export const invocations: Parser = {
  name: 'invocations',
  words: [
    ...[
      '"instances": [',
      '"inputs": {',
      '"dataframe_split": {',
      '"dataframe_records": [',
      '"columns": [',
      '"data": [[',
    ],
    ...['"parameters": {"top": 1}', '"params": null', '"tenure": 24', '"contract": "monthly"', '[24, "monthly"]'],
    ...[
      '{"b64": "AAAA"}',
      '{"url": "http://a/"}',
      '"id": 7',
      '__proto__',
      'null',
      '9007199254740993',
      '1.0',
      '\\ud800',
    ],
  ],
  check(input) {
    for (const one of [table, undefined]) {
      const read = refusalOf(() => readAs(Buffer.from(input), one), KINDS);
      if (read) checkRead(read, JSON.parse(Buffer.from(input).toString()));
    }
    assert.deepEqual(Object.keys(Object.prototype), []);
  },
};

/** Reads a body as the gateway does: its structure is counted first. */
function readAs(bytes: Buffer, one: Table | undefined): JsonBody {
  const options = { table: one, maxInstances: MAX_INSTANCES, maxBodyBytes: 100_000 };
  new JsonScanner({ ...format.limits(options), maxHeapBytes: 64e6 }).feed(bytes);
  return readJson(decodeJson(bytes, format.example), format, options);
}

type Body = {
  readonly inputs?: unknown;
  readonly instances?: readonly unknown[] | null;
  readonly dataframe_records?: readonly unknown[] | null;
  readonly dataframe_split?: { readonly data: readonly unknown[] } | null;
};

/** There is one prediction for each row that was sent. */
function checkRead({ pictures, records, form }: JsonBody, body: Body): void {
  const columns = body.inputs ?? [];
  const [inputs = []] = Array.isArray(columns) ? [columns] : Object.values(columns);
  const rows = body.instances ?? body.dataframe_records ?? body.dataframe_split?.data ?? inputs;
  const count = records?.instances.count ?? pictures?.instances.length;
  assert.ok(count !== undefined && count > 0);
  assert.equal(count, rows.length);
  assert.ok(form.top === undefined || form.top >= 1);
  if (pictures) assert.ok(count <= MAX_INSTANCES && pictures.ids.length === count);
  for (const [, tensor] of records?.inputs ?? []) assert.deepEqual(tensor.shape, [count]);
}
