/** An instance made from a signature, for models without examples. */

/** @typedef {import('./models.js').TensorInfo} TensorInfo */

/** @param {TensorInfo} info */
export const isText = ({ dtype }) => dtype === 'DT_STRING';

/**
 * An instance with a zero for each number. Sizes that may vary are 1.
 * @param {TensorInfo[]} inputs
 * @returns {Record<string, unknown>}
 */
export function templateOf(inputs) {
  return Object.fromEntries(inputs.map((info) => [info.name, zerosOf(info, info.shape?.slice(1) ?? [])]));
}

/** Values of a template: a tensor with more is cut, and the person fills it. */
const MAX_ZEROS = 4096;

/**
 * @param {TensorInfo} info
 * @param {number[]} shape
 * @returns {unknown}
 */
function zerosOf(info, [size, ...rest]) {
  if (size === undefined) return isText(info) ? '' : info.dtype === 'DT_BOOL' ? false : 0;
  const count = Math.min(size < 0 ? 1 : size, MAX_ZEROS);
  return Array.from({ length: count }, () => zerosOf(info, rest));
}
