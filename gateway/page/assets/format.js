/** Numbers as people read them. */

/**
 * A number in about four digits.
 * @param {number} value
 */
export function number(value) {
  if (Number.isInteger(value)) return `${value}`;
  const size = Math.abs(value);
  return size >= 0.001 && size < 1e6 ? value.toFixed(size < 10 ? 4 : 2) : value.toPrecision(4);
}

/**
 * A probability in percent.
 * @param {number} value
 */
export const percent = (value) => `${(value * 100).toFixed(2)} %`;

/**
 * A float32 in the digits that it has.
 * @param {number} value
 */
export const shortFloat = (value) => Number(value.toPrecision(7));
