/** A version with an input of each datatype of the Open Inference Protocol. */
import assert from 'node:assert/strict';
import { ELEMENTS, isNumeric } from '../../gateway/domain/elements.ts';
import { stringCount } from '../../gateway/domain/strings.ts';
import type { Signature, Tensor } from '../../gateway/domain/tensor.ts';
import type { InferRequest } from '../../gateway/pipeline/infer.ts';
import { dtypeOf } from '../../gateway/tensor/datatype.ts';

export const DATATYPES = ['BOOL', 'UINT8', 'INT16', 'INT64', 'UINT64', 'FP16', 'FP32', 'FP64', 'BYTES'];
const inputs = DATATYPES.map((name) => ({ name, dtype: dtypeOf(name) ?? '', shape: [-1] }));
/** A signature for all inputs, and one for each of them alone. */
const signatures = new Map<string, Signature>([
  ['serving_default', { inputs, outputs: inputs }],
  ...inputs.map((input) => [input.name, { inputs: [input], outputs: [] }] as const),
]);
export const routed = {
  card: { name: 'm', signature: 'serving_default', scores: 'logits', folder: '' },
  version: 1,
  metadata: { version: 1, signatures },
  servers: new Set(),
} as unknown as InferRequest['routed'];

/** A tensor has the elements of its shape. */
export function checkTensor(name: string, tensor: Tensor): void {
  const count = tensor.shape.reduce((product, size) => product * size, 1);
  const length = 'offsets' in tensor ? stringCount(tensor) : tensor.bytes.length;
  const size = isNumeric(tensor.dtype) ? ELEMENTS[tensor.dtype].BYTES_PER_ELEMENT : 1;
  assert.equal(length, count * size, `${name} of shape [${tensor.shape}]`);
}
