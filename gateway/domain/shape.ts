/** Shapes of tensors: the size of each axis. */

/** The number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Whether a shape is one that a signature allows. -1 there is an axis of any size. */
export function hasShape(shape: readonly number[], expected: readonly number[]): boolean {
  return shape.length === expected.length && expected.every((size, axis) => size < 0 || size === shape[axis]);
}
