/** Reads a TensorProto, in any of its encodings. */

import { ELEMENTS, isNumeric, type NumericDType } from '../domain/elements.ts';
import { elementCount } from '../domain/shape.ts';
import { type Steps, VALUES_OF_STEP } from '../domain/steps.ts';
import { StringBuilder } from '../domain/strings.ts';
import type { StringTensor, Tensor } from '../domain/tensor.ts';
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
import { ownMemoryBytes } from './own-memory.ts';
import { readShape } from './shape-proto.ts';
import { splitStrings } from './string-list.ts';

/**
 * What the tensors of a response may still take, together. A server may omit elements, so bytes do not bound them. Each byte
 * of a string that is repeated counts as one.
 */
export type TensorBudget = ReadBudget & {
  elements: number;
  /** Counts the memory that a tensor takes beside the message. Throws where it does not fit. */
  readonly take?: ((bytes: number) => void) | undefined;
};

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
 * budget has no room for the elements, what `take` throws, and MalformedMessage for other bytes. A step takes about a millisecond.
 */
export function* readTensor(proto: Uint8Array, budget: TensorBudget): Steps<Tensor | undefined> {
  const head = yield* readHead(new FieldReader(proto, budget));
  const { dtype, shape, count } = head;
  if (!isNumeric(dtype) && dtype !== 'DT_STRING') return undefined;
  if (count > budget.elements) throw tooMany(shape);
  budget.elements -= count;
  budget.take?.(ownMemoryBytes(dtype, count, head.content.length > 0 ? undefined : proto.length));
  const list = new FieldReader(proto, budget);
  if (isNumeric(dtype)) return { dtype, shape, bytes: yield* readNumbers(head, dtype, list) };
  return yield* readStrings(head, list, budget);
}

function* readHead(at: FieldReader): Steps<Head> {
  let [dtype, content]: [number, Uint8Array] = [0, new Uint8Array()];
  let shape: readonly number[] | null = [];
  // Of an unpacked list, each value is a field.
  for (let fields = 1; at.next(); fields += 1) {
    if (fields % VALUES_OF_STEP === 0) yield;
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

function* readNumbers({ shape, count, content }: Head, dtype: NumericDType, at: FieldReader): Steps<Uint8Array> {
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
  /** Adds values of a packed list; false at its end. */
  const addStep = (packed: FieldReader) => {
    for (let left = VALUES_OF_STEP; left > 0; left -= 1) {
      if (!packed.nextValue(wireType)) return false;
      add(packed);
    }
    return true;
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
    else while (addStep(packed)) yield;
    if (length % VALUES_OF_STEP === 0) yield;
  }
  const last = values[length - 1];
  if (last !== undefined) values.fill(last as never, length);
  return new Uint8Array(values.buffer);
}

function* readStrings(head: Head, at: FieldReader, budget: TensorBudget): Steps<StringTensor> {
  const { shape, count, content } = head;
  if (content.length > 0) {
    const tensor = yield* splitStrings(content, shape, count);
    if (tensor) return tensor;
    throw misfit(`${content.length} bytes of strings`, shape);
  }
  const strings = new StringBuilder(count);
  let last: Uint8Array = new Uint8Array();
  while (at.next()) {
    if (at.field !== STRING_VAL) continue;
    if (strings.count === count) throw misfit(`more than ${count} strings`, shape);
    last = at.bytes;
    strings.add(last);
    if (strings.count % VALUES_OF_STEP === 0) yield;
  }
  const repeated = (count - strings.count) * last.length;
  if (repeated > budget.elements) throw tooMany(shape);
  budget.elements -= repeated;
  budget.take?.(repeated);
  while (last.length > 0 && strings.count < count) {
    strings.add(last);
    if (strings.count % VALUES_OF_STEP === 0) yield;
  }
  return strings.tensor(shape);
}
