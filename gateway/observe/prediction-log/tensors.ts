/** Tensors of one row in a line: their elements where they are few, else their shape and digest. */
import { isNumeric } from '../../domain/elements.ts';
import { elementCount } from '../../domain/shape.ts';
import type { Steps } from '../../domain/steps.ts';
import { stringBytes } from '../../domain/strings.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { rowsOf } from '../../tensor/row-slices.ts';
import { tensorToJson } from '../../tensor/to-json.ts';
import { sha256 } from './digest.ts';
import type { HeldTensor, HeldTensors } from './held.ts';

/** A line has the elements of a row up to this number, and strings up to this length. */
const MAX_ELEMENTS = 64;
const MAX_STRING_BYTES = 1024;

/** The JSON of `{"values": …, "digests": …}`. `hides`: names to leave out. */
export function* tensorsJson(tensors: HeldTensors, hides: (name: string) => boolean): Steps<string> {
  const values: string[] = [];
  const digests: string[] = [];
  for (const [name, tensor] of tensors) {
    if (hides(name)) continue;
    const key = JSON.stringify(name);
    if (isSmall(tensor)) values.push(`${key}:${tensorToJson(tensor, name)}`);
    else digests.push(`${key}:${yield* digestJson(tensor)}`);
  }
  return `"values":{${values}},"digests":{${digests}}`;
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

/** A row of each tensor, without the first axis. A tensor that has no row for each instance belongs to all of them. */
export function rowOf(tensors: HeldTensors, row: number, rows: number): HeldTensors {
  return new Map(
    Array.from(tensors, ([name, tensor]) => {
      const [first, ...shape] = tensor.shape;
      if (first !== rows) return [name, tensor];
      return [name, { ...('bytes' in tensor ? rowsOf(tensor, row, 1) : tensor), shape }];
    }),
  );
}
