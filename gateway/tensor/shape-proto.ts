/** Reads a TensorShapeProto. */
import { type FieldReader, MalformedMessage } from './field-reader.ts';

/** TensorShape::MaxDimensions of TensorFlow. */
export const MAX_AXES = 254;

/** The size of each axis, -1 for an unknown one; null for an unknown rank. Throws MalformedMessage. */
export function readShape(shape: FieldReader): readonly number[] | null {
  const sizes: number[] = [];
  let isUnknown = false;
  while (shape.next()) {
    if (shape.field === 2) sizes.push(readSize(shape.message));
    if (shape.field === 3) isUnknown = shape.int32 !== 0;
    if (sizes.length > MAX_AXES) throw new MalformedMessage(`a shape of more than ${MAX_AXES} axes`);
  }
  return isUnknown ? null : sizes;
}

function readSize(axis: FieldReader): number {
  let size = 0;
  while (axis.next()) if (axis.field === 1) size = axis.int64;
  return size;
}
