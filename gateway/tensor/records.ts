/** Instances of a table as the inputs of a model: records of named values, plain lists in the order of the columns, or values. */
import { hasShape } from '../domain/shape.ts';
import { isScalar, type Table } from '../domain/table.ts';
import type { Tensor, TensorInfo } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import { isBase64, tensorFromJson } from './from-json.ts';
import { TensorMistake } from './mistake.ts';
import { packedMemory, packTensor } from './packed.ts';
import { fieldOf, isRecord, type JsonRecord, type Member, memberOf, readIds } from './record-id.ts';
import { memoryOfNames, packNames, type RowName, type RowNames } from './row-names.ts';

/** Inputs in memory that can be moved between threads. */
export type Records = {
  readonly inputs: readonly (readonly [name: string, tensor: Tensor])[];
  readonly instances: RowNames;
};

/** The memory of records, to move it. */
export function memoryOfRecords({ inputs, instances }: Records): ArrayBuffer[] {
  return [...packedMemory(inputs.map(([, tensor]) => tensor)), ...memoryOfNames(instances)];
}

/** The values of one instance, by input, and the place of each in the request. */
type Values = RowName & {
  readonly of: (input: string) => unknown;
  readonly placeOf: (input: string) => string;
};

/**
 * Reads instances; `place` names each of them. An input with one element for each row takes plain values. Throws
 * `invalid_request` with the place of the first mistake: `instances[3].tenure: expected an integer, got "abc"`.
 */
export function readRecords(items: readonly unknown[], table: Table, place: (row: number) => string): Records {
  const rows = items.map((item, row) => readInstance(item, table, place(row)));
  const inputs = table.inputs.map((input) => [input.name, packTensor(readColumn(rows, input))] as const);
  return { inputs, instances: packNames(rows) };
}

function readInstance(item: unknown, table: Table, place: string): Values {
  const { inputs, columns, record } = table;
  const [only] = inputs;
  if (isRecord(item) && !isOf(only, item, table)) {
    const ids = readIds(item, table, place);
    const inner = record?.in === undefined ? undefined : memberOf(item, record.in);
    if (inner === undefined) return named(item, table, { place, ids, isOuter: true });
    if (isRecord(inner)) return named(inner, table, { place: fieldOf(place, record?.in), ids, isOuter: false });
    const detail = `${fieldOf(place, record?.in)}: expected an object with ${namesOf(table)}`;
    throw new GatewayError('invalid_request', detail);
  }
  if (columns && Array.isArray(item)) return listed(item, columns, place);
  if (only && inputs.length === 1) return { isPlain: true, of: () => item, placeOf: () => place };
  const orList = columns ? ', or a list of their values' : '';
  throw new GatewayError('invalid_request', `${place}: expected an object with ${namesOf(table)}${orList}`);
}

/** Whether an object is the bytes of the only input, not a record. */
function isOf(only: TensorInfo | undefined, item: JsonRecord, { inputs }: Table): boolean {
  return isBase64(item) && inputs.length === 1 && only?.dtype === 'DT_STRING' && only.name !== 'b64';
}

type Found = { readonly place: string; readonly ids: readonly Member[]; readonly isOuter: boolean };

/** `isOuter`: the object may have an id beside the values. */
function named(values: JsonRecord, table: Table, { place, ids, isOuter }: Found): Values {
  const names = table.inputs.map(({ name }) => name);
  const missing = names.find((name) => !Object.hasOwn(values, name));
  if (missing !== undefined) {
    throw new GatewayError('invalid_request', `${fieldOf(place, missing)}: is missing; send ${namesOf(table)}`);
  }
  const known = isOuter ? [...names, 'id', table.record?.id] : names;
  const unknown = Object.keys(values).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const field = fieldOf(place, unknown.slice(0, 80));
    throw new GatewayError('invalid_request', `${field}: no such input; send ${namesOf(table)}`);
  }
  return { isPlain: false, ids, of: (name) => values[name], placeOf: (name) => fieldOf(place, name) };
}

/** A plain list in the order of the columns. */
function listed(values: readonly unknown[], columns: readonly string[], place: string): Values {
  if (values.length !== columns.length) {
    const detail = `${place}: expected a list of ${columns.length} (${columns.join(', ')}), got one of ${values.length}`;
    throw new GatewayError('invalid_request', detail);
  }
  const indexes = new Map(columns.map((name, index) => [name, index]));
  const indexOf = (name: string) => indexes.get(name) ?? -1;
  return { isPlain: true, of: (name) => values[indexOf(name)], placeOf: (name) => `${place}[${indexOf(name)}]` };
}

function readColumn(rows: readonly Values[], input: TensorInfo): Tensor {
  const { name, shape: expected } = input;
  const values = rows.map(({ of }) => of(name));
  const placeOf = ([row = 0, ...rest]: readonly number[]) =>
    `${rows[row]?.placeOf(name) ?? name}${rest.map((index) => `[${index}]`).join('')}`;
  const tensor = tensorFromJson(values, input, placeOf);
  if (expected === null) return tensor;
  const [batch = 1] = expected;
  if (batch >= 0 && batch !== rows.length) {
    const detail = `instances: ${name} has exactly ${batch} in one request, got ${rows.length}`;
    throw new GatewayError('invalid_request', detail);
  }
  if (hasShape(tensor.shape, expected)) return tensor;
  // Plain values where the model has axes of length 1, or none at all.
  if (isScalar(input) && tensor.shape.length === 1) return { ...tensor, shape: [rows.length, ...expected.slice(1)] };
  if (expected.length === 0 && tensor.shape.length === 1) return { ...tensor, shape: [] };
  const problem = { kind: 'shape', shape: tensor.shape.slice(1), expected: expected.slice(1) } as const;
  throw new TensorMistake(placeOf([0]), problem);
}

function namesOf({ inputs }: Table): string {
  return inputs.map(({ name }) => name).join(', ');
}
