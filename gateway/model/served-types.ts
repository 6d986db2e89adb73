/** The types of tensors that are not served: quantised and complex numbers, and handles of a graph. */
import { isNumeric } from '../domain/elements.ts';
import type { Signature, TensorInfo } from '../domain/tensor.ts';

/** Why, for error texts. */
export const UNSERVED = 'quantised and complex types are not served';

/** A tensor of a signature that can be neither sent nor answered. */
export function unservedTensor({ inputs, outputs }: Signature): TensorInfo | undefined {
  return [...inputs, ...outputs].find(({ dtype }) => dtype !== 'DT_STRING' && !isNumeric(dtype));
}
