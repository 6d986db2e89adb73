/** Reads the lists of the Open Inference Protocol's gRPC messages (InferTensorContents) as elements or strings. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ELEMENTS, type NumericDType } from '../domain/elements.ts';
import { VALUES_OF_STEP } from '../domain/steps.ts';
import { StringBuilder } from '../domain/strings.ts';
import type { StringTensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import { BYTES_CONTENTS, contentsListOf, datatypeOf } from './datatype.ts';
import { FieldReader, LENGTH_DELIMITED, VARINT } from './field-reader.ts';

/** The lists of one tensor, its elements by its shape, and its place in the request for error texts. */
export type Contents = { readonly bytes: Uint8Array; readonly count: number; readonly place: string };

/**
 * Reads numbers as little-endian elements. Throws `invalid_tensor` for another number of values, for an integer that is out
 * of range, for another list, and for half and bfloat16, which have no list; MalformedMessage for other bytes.
 */
export async function readNumberContents({ bytes, count, place }: Contents, dtype: NumericDType): Promise<Uint8Array> {
  const list = contentsListOf(dtype);
  if (!list) throw wrong(place, `${datatypeOf(dtype)} has no list: send raw_input_contents`);
  // Every value takes a byte at least, so the memory is bounded by what was sent.
  if (count > bytes.length) throw wrong(place, `expected ${count} values in ${list.name}, got fewer`);
  const values = new ELEMENTS[dtype](count);
  const into = new Uint8Array(values.buffer);
  let length = 0;
  const add = (at: FieldReader) => {
    const value = list.read(at);
    if (length === count) throw wrong(place, `expected ${count} values in ${list.name}, got more`);
    values[length] = value;
    if (list.wireType === VARINT && typeof value === 'number' && values[length] !== value) {
      throw wrong(`${place}.${list.name}[${length}]`, `${value} is out of range for ${datatypeOf(dtype)}`);
    }
    length += 1;
  };
  const at = new FieldReader(bytes, { fields: count + 1 });
  while (at.next()) {
    if (at.field !== list.field) throw wrong(place, `send its values in ${list.name}`);
    const packed = at.wireType === LENGTH_DELIMITED ? at.message : undefined;
    if (packed && list.wireType !== VARINT) {
      // A packed list of floats is the elements as they are.
      const end = length + at.bytes.length / values.BYTES_PER_ELEMENT;
      if (!Number.isInteger(end) || end > count) throw wrong(place, `expected ${count} values in ${list.name}`);
      into.set(at.bytes, length * values.BYTES_PER_ELEMENT);
      length = end;
    } else if (packed) {
      while (packed.nextValue(list.wireType)) {
        add(packed);
        if (length % VALUES_OF_STEP === 0) await nextTurn();
      }
    } else add(at);
    if (length % VALUES_OF_STEP === 0) await nextTurn();
  }
  if (length < count) throw wrong(place, `expected ${count} values in ${list.name}, got ${length}`);
  return into;
}

/** Reads strings. Throws `invalid_tensor` for another number of them. */
export async function readStringContents(
  { bytes, count, place }: Contents,
  shape: readonly number[],
): Promise<StringTensor> {
  // Every string takes a tag and a length.
  if (2 * count > bytes.length) throw wrong(place, `expected ${count} values in bytes_contents, got fewer`);
  const strings = new StringBuilder(count);
  const at = new FieldReader(bytes, { fields: count + 1 });
  while (at.next()) {
    if (at.field !== BYTES_CONTENTS) throw wrong(place, 'send its values in bytes_contents');
    if (strings.count === count) throw wrong(place, `expected ${count} values in bytes_contents, got more`);
    strings.add(at.bytes);
    if (strings.count % VALUES_OF_STEP === 0) await nextTurn();
  }
  if (strings.count === count) return strings.tensor(shape);
  throw wrong(place, `expected ${count} values in bytes_contents, got ${strings.count}`);
}

function wrong(place: string, text: string): GatewayError {
  return new GatewayError('invalid_tensor', `${place}: ${text}`);
}
