/** Tensors of one row in a line: their elements where they are few, else their shape and digest. */
import { isNumeric } from '../../domain/elements.ts';
import { elementCount } from '../../domain/shape.ts';
import type { Steps } from '../../domain/steps.ts';
import { stringBytes } from '../../domain/strings.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { rowsOf } from '../../tensor/row-slices.ts';
import { rowText, tensorToJson } from '../../tensor/to-json.ts';
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

/** A tensor of a request, with what is the same for all its rows. */
type Column = {
  readonly name: string;
  readonly tensor: HeldTensor;
  /** The name as the key of a JSON object. */
  readonly key: string;
  /** Writes a row of few numbers, without a tensor for it. Absent for other tensors. */
  readonly numbers: ((row: number) => string) | undefined;
};

/** `rows`: undefined where the tensors are those of one row, without the first axis. `hides`: names to leave out. */
export function rowsIn(tensors: HeldTensors, rows: number | undefined, hides: (name: string) => boolean): Rows {
  const columns: Column[] = [];
  for (const [name, tensor] of tensors) {
    if (hides(name)) continue;
    columns.push({ name, tensor, key: `${JSON.stringify(name)}:`, numbers: numbersWriter(name, tensor, rows) });
  }
  return {
    tensor(name, row) {
      const tensor = tensors.get(name);
      return tensor && rowOf(tensor, row, rows);
    },
    *json(row) {
      let values = '';
      let digests = '';
      for (const { name, tensor, key, numbers } of columns) {
        const own = numbers ? undefined : rowOf(tensor, row, rows);
        if (own && !isSmall(own)) digests += `${digests && ','}${key}${yield* digestJson(own)}`;
        else values += `${values && ','}${key}${own ? tensorToJson(own, name) : numbers?.(row)}`;
      }
      return `"values":{${values}},"digests":{${digests}}`;
    },
  };
}

/** A row without the first axis. A tensor that has no row for each instance belongs to all of them. */
function rowOf(tensor: HeldTensor, row: number, rows: number | undefined): HeldTensor {
  const [first, ...shape] = tensor.shape;
  if (rows === undefined || first !== rows) return tensor;
  return { ...('bytes' in tensor ? rowsOf(tensor, row, 1) : tensor), shape };
}

function numbersWriter(name: string, tensor: HeldTensor, rows: number | undefined): Column['numbers'] {
  const { dtype, shape } = tensor;
  const isShort = rows !== undefined && shape[0] === rows && elementCount(shape) <= rows * MAX_ELEMENTS;
  return isShort && 'bytes' in tensor && isNumeric(dtype) ? rowText(tensor, name) : undefined;
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
