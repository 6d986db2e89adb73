/** Reads a TensorProto, in any of its encodings. */

import { ELEMENTS, isNumeric, type NumericDType } from '../domain/elements.ts';
import { elementCount } from '../domain/shape.ts';
import type { Tensor } from '../domain/tensor.ts';
import { dtypeName, type ListField, NUMERIC_TYPES, type NumericType } from './dtype.ts';
import {
  FIXED32,
  FIXED64,
  FieldReader,
  LENGTH_DELIMITED,
  MalformedMessage,
  type ReadBudget,
  VARINT,
} from './field-reader.ts';
import { misfit, tooMany } from './misfit.ts';
import { readShape } from './shape-proto.ts';
import { splitStrings } from './string-list.ts';

/** What the tensors of a response may still take, together. A server may omit elements, so bytes do not bound them. */
export type TensorBudget = ReadBudget & { elements: number };

/** A list of TensorProto: its field, the wire type of one value, and how that is read. */
type List = { readonly field: number; readonly wireType: number; readonly read: (at: FieldReader) => number | bigint };

const LISTS: Readonly<Record<ListField, List>> = {
  float_val: { field: 5, wireType: FIXED32, read: (at) => at.float },
  double_val: { field: 6, wireType: FIXED64, read: (at) => at.double },
  int_val: { field: 7, wireType: VARINT, read: (at) => at.int32 },
  int64_val: { field: 10, wireType: VARINT, read: (at) => at.bigint },
  bool_val: { field: 11, wireType: VARINT, read: (at) => Number(at.bigint !== 0n) },
  half_val: { field: 13, wireType: VARINT, read: (at) => at.int32 },
  uint32_val: { field: 16, wireType: VARINT, read: (at) => at.int32 >>> 0 },
  uint64_val: { field: 17, wireType: VARINT, read: (at) => at.bigint },
};
const STRING_VAL = 8;

/** All of a TensorProto but its lists. */
type Head = { readonly dtype: string; readonly shape: readonly number[]; readonly count: number; content: Uint8Array };

/**
 * Reads one tensor, as tensor.proto defines it: `tensor_content` if present, otherwise the dtype's list. A list shorter
 * than the shape repeats its last value; an empty list means zeros. Returns undefined for types that are neither
 * numbers nor strings (complex, quantised, resources). Throws `model_failed` when values and shape do not fit or the
 * budget has no room for the elements, and MalformedMessage for other bytes.
 */
export function readTensor(proto: Uint8Array, budget: TensorBudget): Tensor | undefined {
  const head = readHead(new FieldReader(proto, budget));
  const { dtype, shape, count } = head;
  if (!isNumeric(dtype) && dtype !== 'DT_STRING') return undefined;
  if (count > budget.elements) throw tooMany(shape);
  budget.elements -= count;
  const list = new FieldReader(proto, budget);
  if (isNumeric(dtype)) return { dtype, shape, bytes: readNumbers(head, dtype, list) };
  return { dtype: 'DT_STRING', shape, strings: readStrings(head, list) };
}

function readHead(at: FieldReader): Head {
  let [dtype, content]: [number, Uint8Array] = [0, new Uint8Array()];
  let shape: readonly number[] | null = [];
  while (at.next()) {
    if (at.field === 1) dtype = at.int32;
    if (at.field === 2) shape = readShape(at.message);
    if (at.field === 4) content = at.bytes;
  }
  if (shape?.every((size) => size >= 0)) return { dtype: dtypeName(dtype), shape, count: countOf(shape), content };
  throw misfit('values', shape);
}

function countOf(shape: readonly number[]): number {
  const count = elementCount(shape);
  if (Number.isSafeInteger(count)) return count;
  throw misfit('values', shape);
}

function readNumbers({ shape, count, content }: Head, dtype: NumericDType, at: FieldReader): Uint8Array {
  if (content.length > 0) {
    if (content.length === count * ELEMENTS[dtype].BYTES_PER_ELEMENT) return content;
    throw misfit(`${content.length} bytes of ${dtype}`, shape);
  }
  const type: NumericType = NUMERIC_TYPES[dtype];
  const { field, wireType, read } = LISTS[type.list];
  const values = type.listHoldsBits ? new Uint16Array(count) : new ELEMENTS[dtype](count);
  let length = 0;
  const add = (from: FieldReader) => {
    if (length === count) throw misfit(`more than ${count} values`, shape);
    values[length] = read(from);
    length += 1;
  };
  /** A packed list of floats is the elements as they are. */
  const addAsTheyAre = (floats: Uint8Array) => {
    const end = length + floats.length / values.BYTES_PER_ELEMENT;
    if (!Number.isInteger(end)) throw new MalformedMessage('the message is cut off');
    if (end > count) throw misfit(`more than ${count} values`, shape);
    new Uint8Array(values.buffer).set(floats, length * values.BYTES_PER_ELEMENT);
    length = end;
  };
  while (at.next()) {
    if (at.field !== field) continue;
    const packed = at.wireType === LENGTH_DELIMITED ? at.message : undefined;
    if (!packed) add(at);
    else if (wireType !== VARINT) addAsTheyAre(at.bytes);
    else while (packed.nextValue(wireType)) add(packed);
  }
  const last = values[length - 1];
  for (let index = length; last !== undefined && index < count; index += 1) values[index] = last;
  return new Uint8Array(values.buffer);
}

function readStrings({ shape, count, content }: Head, at: FieldReader): readonly Uint8Array[] {
  if (content.length > 0) {
    const strings = splitStrings(content, count);
    if (strings) return strings;
    throw misfit(`${content.length} bytes of strings`, shape);
  }
  const strings: Uint8Array[] = [];
  while (at.next()) {
    if (at.field !== STRING_VAL) continue;
    if (strings.length === count) throw misfit(`more than ${count} strings`, shape);
    strings.push(at.bytes);
  }
  const last = strings.at(-1) ?? new Uint8Array();
  while (strings.length < count) strings.push(last);
  return strings;
}
