/** Regress: which output a signature must have, and the output as numbers. With TF-Serving's texts. */

import type { RegressionResponse } from './protocol.ts';
import type { Outputs, Signature } from './session-worker.ts';
import { signatureText } from './signature-def.ts';
import { invalidArgument } from './status.ts';

const OUTPUT = 'outputs';

/** The output to run. @throws StatusError INVALID_ARGUMENT if the signature is no regression */
export function regressionOutputs(signature: Signature): string[] {
  if (signature.outputs.size !== 1) throw invalidArgument('Expected one output Tensor.');
  if (signature.outputs.has(OUTPUT)) return [OUTPUT];
  throw invalidArgument(`No regression outputs found in SignatureDef: ${signatureText(signature)}`);
}

/** The number of each example. @throws StatusError INVALID_ARGUMENT if type or shape of the output is wrong */
export function regressions(outputs: Outputs, examples: number): RegressionResponse['result']['regressions'] {
  const { dtype, shape, data } = outputs.get(OUTPUT) ?? { dtype: 'DT_FLOAT', shape: [], data: [] };
  if (shape.length !== 1 && !(shape.length === 2 && shape[1] === 1)) {
    throw invalidArgument(
      `Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got [${shape}]`,
    );
  }
  if (shape[0] !== examples) {
    throw invalidArgument(`Input batch size did not match output batch size: ${examples} vs. ${shape[0]}`);
  }
  if (dtype !== 'DT_FLOAT') throw invalidArgument(`Expected output Tensor of DT_FLOAT.  Got: ${dtype}`);
  return Array.from(data as Float32Array, (value) => ({ value }));
}
