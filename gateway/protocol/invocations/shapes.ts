/** The shapes in which platforms send instances: Vertex AI's and TensorFlow's `instances`, and those of MLflow's server. */
import { GatewayError } from '../../errors.ts';
import { isRecord, type JsonRecord } from '../../tensor/record-id.ts';

/** Instances, and the name of each for error texts. */
export type Items = { readonly items: readonly unknown[]; readonly place: (row: number) => string };

/** How each shape becomes a list of instances. */
const SHAPES: Readonly<Record<string, (value: unknown, name: string) => Items>> = {
  instances: listOf,
  inputs: (value, name) => (isRecord(value) ? columnsOf(value, name) : listOf(value, name)),
  dataframe_records: listOf,
  dataframe_split: splitOf,
};

/** Reads the one shape that the body has. Throws `invalid_request`. */
export function readShape(body: JsonRecord): Items {
  const given = Object.keys(SHAPES).filter((name) => body[name] !== undefined && body[name] !== null);
  const [name = ''] = given;
  const read = SHAPES[name];
  if (!read || given.length > 1) {
    throw new GatewayError('invalid_request', `body: give one of ${Object.keys(SHAPES).join(', ')}`);
  }
  const found = read(body[name], name);
  if (found.items.length > 0) return found;
  throw new GatewayError('invalid_request', `${name}: must not be empty`);
}

function listOf(value: unknown, name: string): Items {
  return { items: checkedList(value, name), place: (row) => `${name}[${row}]` };
}

function checkedList(value: unknown, name: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new GatewayError('invalid_request', `${name}: needs a list`);
}

/** A list for each input: `{"tenure": [1, 24], "contract": ["monthly", "one year"]}`. */
function columnsOf(columns: JsonRecord, name: string): Items {
  const entries = Object.entries(columns).map(
    ([column, values]) => [column, checkedList(values, `${name}.${column.slice(0, 80)}`)] as const,
  );
  const [first] = entries;
  const rows = first?.[1].length ?? 0;
  const other = entries.find(([, values]) => values.length !== rows);
  if (other) {
    const detail = `${name}.${other[0].slice(0, 80)}: has ${other[1].length} values, and ${first?.[0].slice(0, 80)} ${rows}`;
    throw new GatewayError('invalid_request', detail);
  }
  const items = Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(entries.map(([column, values]) => [column, values[row]])),
  );
  return { items, place: (row) => `${name}[${row}]` };
}

/** A table as `DataFrame.to_dict(orient="split")` writes it. Without columns, the rows are plain lists. Its index is ignored. */
function splitOf(value: unknown, name: string): Items {
  if (!isRecord(value)) throw new GatewayError('invalid_request', `${name}: needs an object with columns and data`);
  const place = (row: number) => `${name}.data[${row}]`;
  const rows = checkedList(value.data, `${name}.data`);
  if (value.columns === undefined || value.columns === null) return { items: rows, place };
  const columns = checkedList(value.columns, `${name}.columns`).map((column, index) => {
    if (typeof column === 'string') return column;
    throw new GatewayError('invalid_request', `${name}.columns[${index}]: needs a string`);
  });
  const twice = columns.find((column, index) => columns.indexOf(column) < index);
  if (twice !== undefined) {
    throw new GatewayError('invalid_request', `${name}.columns: has ${twice.slice(0, 80)} twice`);
  }
  const items = rows.map((row, index) => {
    const values = checkedList(row, place(index));
    if (values.length === columns.length) {
      return Object.fromEntries(columns.map((column, at) => [column, values[at]]));
    }
    throw new GatewayError(
      'invalid_request',
      `${place(index)}: has ${values.length} values for ${columns.length} columns`,
    );
  });
  return { items, place };
}
