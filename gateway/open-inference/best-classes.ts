/** Triton's classification extension: in place of an output its highest elements, as `value:index:label`. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { elementsOf, numbersOf } from '../domain/elements.ts';
import { elementCount } from '../domain/shape.ts';
import { StringBuilder } from '../domain/strings.ts';
import type { Tensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import type { InferOutput } from './message.ts';

/** Elements that are sorted for one output. */
const MAX_ELEMENTS = 2 ** 16;
/** Elements that are sorted in one turn of the event loop: about three milliseconds. */
const ELEMENTS_AT_ONCE = 2 ** 13;

/** The classes wanted of each output that has the parameter `classification`. Throws `invalid_request`. */
export function wantedClasses(outputs: readonly InferOutput[]): ReadonlyMap<string, number> {
  const wanted = new Map<string, number>();
  for (const [index, { name, parameters }] of outputs.entries()) {
    const count = parameters.get('classification');
    if (count === undefined) continue;
    if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 1) {
      const detail = `outputs[${index}].parameters.classification: needs a number of classes above zero.`;
      throw new GatewayError('invalid_request', detail);
    }
    wanted.set(name, count);
  }
  return wanted;
}

type Wanted = {
  readonly name: string;
  readonly count: number;
  /** The names of the elements of a row. Used where there is one for each. */
  readonly labels: readonly string[];
};

/**
 * The `count` highest elements of each row, the highest first, as strings of the shape [rows, count]. The first axis is the
 * rows; a tensor with one axis is one row. NaN comes last. Throws `invalid_request` for strings and for very many elements.
 */
export async function bestClasses(tensor: Tensor, { name, count, labels }: Wanted): Promise<Tensor> {
  // The elements of bfloat16 are bits.
  const values = tensor.dtype === 'DT_BFLOAT16' ? numbersOf(tensor) : (elementsOf(tensor) ?? []);
  if ('offsets' in tensor || values.length > MAX_ELEMENTS) {
    const detail = `outputs: ${name.slice(0, 80)} has no classes; classification takes up to ${MAX_ELEMENTS} numbers.`;
    throw new GatewayError('invalid_request', detail);
  }
  const { shape } = tensor;
  const rows = shape.length > 1 ? (shape[0] ?? 0) : 1;
  const size = elementCount(shape.length > 1 ? shape.slice(1) : shape);
  const best = Math.min(count, size);
  const strings = new StringBuilder(rows * best);
  let sorted = 0;
  for (let start = 0; start < rows * size; start += size) {
    const order = Uint32Array.from({ length: size }, (_, index) => index);
    order.sort((one, other) => compare(values[start + one], values[start + other]) || one - other);
    for (const index of order.subarray(0, best)) {
      const label = labels.length === size ? `:${labels[index]}` : '';
      strings.addText(`${values[start + index]}:${index}${label}`);
    }
    sorted += size;
    if (sorted < ELEMENTS_AT_ONCE) continue;
    sorted = 0;
    await nextTurn();
  }
  return strings.tensor(shape.length > 1 ? [rows, best] : [best]);
}

type Value = number | bigint | undefined;

/** The higher value first, NaN last. */
function compare(one: Value, other: Value): number {
  if (Number.isNaN(one) || Number.isNaN(other)) return Number(Number.isNaN(one)) - Number(Number.isNaN(other));
  return Number((other ?? 0) > (one ?? 0)) - Number((other ?? 0) < (one ?? 0));
}
