/** Tensors of one row in a line: their elements where they are few, else their shape and digest. */
import { isNumeric } from '../../domain/elements.ts';
import { elementCount } from '../../domain/shape.ts';
import type { Steps } from '../../domain/steps.ts';
import { stringBytes } from '../../domain/strings.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { rowsOf } from '../../tensor/row-slices.ts';
import { rowWriter, tensorToJson } from '../../tensor/to-json.ts';
import { sha256 } from './digest.ts';
import type { HeldTensor, HeldTensors } from './held.ts';

/** A line has the elements of a row up to this number, and strings up to this length. */
const MAX_ELEMENTS = 64;
const MAX_STRING_BYTES = 1024;

/** The tensors of the rows of a request. One that has no row for each instance belongs to all of them. */
export type Rows = {
  /** A tensor of a row, without the first axis. */
  tensor(name: string, row: number): HeldTensor | undefined;
  /** `"values": {…}, "digests": {…}` of a row. */
  json(row: number): Steps<string>;
};

/** `rows`: undefined where the tensors are those of one row, without the first axis. `hides`: names to leave out. */
export function rowsIn(tensors: HeldTensors, rows: number | undefined, hides: (name: string) => boolean): Rows {
  const rowOf = (tensor: HeldTensor, row: number): HeldTensor => {
    const [first, ...shape] = tensor.shape;
    if (rows === undefined || first !== rows) return tensor;
    return { ...('bytes' in tensor ? rowsOf(tensor, row, 1) : tensor), shape };
  };
  const shown = [...tensors].filter(([name]) => !hides(name));
  const writers = shown.map(([name, tensor]) => {
    const key = JSON.stringify(name);
    const numbers = rows !== undefined && tensor.shape[0] === rows ? numbersWriter(name, tensor) : undefined;
    return { name, key, numbers, rowOf: (row: number) => rowOf(tensor, row) };
  });
  return {
    tensor(name, row) {
      const tensor = tensors.get(name);
      return tensor && rowOf(tensor, row);
    },
    *json(row) {
      const values: string[] = [];
      const digests: string[] = [];
      for (const { name, key, numbers, rowOf: tensorOf } of writers) {
        const tensor = numbers ? undefined : tensorOf(row);
        if (numbers) values.push(`${key}:${numbers(row)}`);
        else if (tensor && isSmall(tensor)) values.push(`${key}:${tensorToJson(tensor, name)}`);
        else if (tensor) digests.push(`${key}:${yield* digestJson(tensor)}`);
      }
      return `"values":{${values}},"digests":{${digests}}`;
    },
  };
}

/** Writes short rows of numbers without a tensor for each. Undefined for other tensors. */
function numbersWriter(name: string, tensor: HeldTensor): ((row: number) => string) | undefined {
  const isShort = elementCount(tensor.shape.slice(1)) <= MAX_ELEMENTS;
  if (!isShort || !('bytes' in tensor) || !isNumeric(tensor.dtype)) return undefined;
  const write = rowWriter(tensor, name);
  return (row) => {
    let text = '';
    write(row, (piece) => {
      text += piece;
    });
    return text;
  };
}

function isSmall(tensor: HeldTensor): tensor is Tensor {
  if (!('bytes' in tensor) || elementCount(tensor.shape) > MAX_ELEMENTS) return false;
  return 'offsets' in tensor ? stringBytes(tensor) <= MAX_STRING_BYTES : isNumeric(tensor.dtype);
}

function* digestJson(tensor: HeldTensor): Steps<string> {
  const { dtype, shape } = tensor;
  return JSON.stringify({ dtype, shape, sha256: 'bytes' in tensor ? yield* sha256(bytesOf(tensor)) : null });
}

function bytesOf(tensor: Tensor): Uint8Array {
  return 'offsets' in tensor ? tensor.bytes.subarray(tensor.offsets[0], tensor.offsets.at(-1)) : tensor.bytes;
}
