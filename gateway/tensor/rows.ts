/** Instances as rows of a model's inputs, and columns. */
import { hasShape } from '../domain/shape.ts';
import type { Signature, Tensor, TensorInfo } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import { isBase64, tensorFromJson } from './from-json.ts';
import { TensorMistake } from './mistake.ts';
import { isRecord, type JsonRecord } from './record-id.ts';

export type Inputs = ReadonlyMap<string, Tensor>;

/**
 * Reads a list of instances: objects with a value for each input, or plain values where there is one input. Every tensor
 * gets the instances as its first axis. `place` is the list's name. Throws `invalid_request` with the instance and the input.
 */
export function readRows(rows: readonly unknown[], { inputs }: Signature, place: string): Inputs {
  const [only] = inputs;
  const isPlain = only !== undefined && inputs.length === 1 && !rows.every((row) => isNamed(row) && only.name in row);
  if (isPlain) {
    return new Map([[only.name, readColumn(rows, only, (row, rest) => `${place}[${row}]${rest}`)]]);
  }
  const records = rows.map((row, index) => checkedRecord(row, inputs, `${place}[${index}]`));
  return new Map(
    inputs.map((input) => {
      const column = records.map((record) => record[input.name]);
      return [input.name, readColumn(column, input, (row, rest) => `${place}[${row}].${input.name}${rest}`)];
    }),
  );
}

/**
 * Reads columns: an object with a whole tensor for each input, or one plain value where there is one input. Throws
 * `invalid_request` with the input.
 */
export function readColumns(columns: unknown, { inputs }: Signature, place: string): Inputs {
  const [only] = inputs;
  const isPlain = only !== undefined && inputs.length === 1 && !(isNamed(columns) && only.name in columns);
  if (isPlain) return new Map([[only.name, readTensor(columns, only, place)]]);
  const record = checkedRecord(columns, inputs, place);
  return new Map(inputs.map((input) => [input.name, readTensor(record[input.name], input, `${place}.${input.name}`)]));
}

/** Reads one value of an input for each row. `placeOf` names a place in a row. Throws TensorMistake. */
export function readColumn(
  values: readonly unknown[],
  info: TensorInfo,
  placeOf: (row: number, rest: string) => string,
): Tensor {
  const tensor = tensorFromJson(values, info, ([row = 0, ...rest]) => placeOf(row, listed(rest)));
  const { shape: expected } = info;
  if (expected === null || hasShape(tensor.shape, expected)) return tensor;
  const problem = { kind: 'shape', shape: tensor.shape.slice(1), expected: expected.slice(1) } as const;
  throw new TensorMistake(placeOf(0, ''), problem);
}

function readTensor(value: unknown, info: TensorInfo, place: string): Tensor {
  const tensor = tensorFromJson(value, info, (indexes) => `${place}${listed(indexes)}`);
  const { shape: expected } = info;
  if (expected === null || hasShape(tensor.shape, expected)) return tensor;
  throw new TensorMistake(place, { kind: 'shape', shape: tensor.shape, expected });
}

/** Whether a value has values by the names of inputs. */
function isNamed(value: unknown): value is JsonRecord {
  return isRecord(value) && !isBase64(value);
}

/** An object with a value for each input and nothing else. */
function checkedRecord(value: unknown, inputs: readonly TensorInfo[], place: string): JsonRecord {
  const names = inputs.map(({ name }) => name);
  const known = names.join(', ');
  if (!isNamed(value)) throw new GatewayError('invalid_request', `${place}: expected an object with ${known}`);
  const missing = names.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined)
    throw new GatewayError('invalid_request', `${place}.${missing}: is missing; send ${known}`);
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown === undefined) return value;
  throw new GatewayError('invalid_request', `${place}.${unknown.slice(0, 80)}: no such input; send ${known}`);
}

function listed(indexes: readonly number[]): string {
  return indexes.map((index) => `[${index}]`).join('');
}
