/** A version's signatures as TF-Serving's messages, and as text in its errors. */

import type { SignatureDef } from './protocol.ts';
import type { Signature, ValueInfo } from './session-worker.ts';

type Infos = SignatureDef['inputs'];

/** The tensor names in the graph are made up: an ONNX graph has no others than those of the signature. */
export function signatureDef({ inputs, outputs }: Signature): SignatureDef {
  return { inputs: infos(inputs), outputs: infos(outputs), method_name: 'tensorflow/serving/predict' };
}

function infos(values: ReadonlyMap<string, ValueInfo>): Infos {
  return Object.fromEntries(
    [...values].map(([name, { dtype, shape }]) => {
      const tensor_shape = shape ? { dim: shape.map((size) => ({ size })) } : { dim: [], unknown_rank: true };
      return [name, { name: `${name}:0`, dtype, tensor_shape }];
    }),
  );
}

/** The signature in protobuf's text format, with the entries of maps sorted by key. */
export function signatureText(signature: Signature): string {
  const { inputs, outputs, method_name: method } = signatureDef(signature);
  return `${entries('inputs', inputs)}${entries('outputs', outputs)}method_name: ${JSON.stringify(method)}\n`;
}

function entries(field: string, values: Infos): string {
  const sorted = Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([key, value]) => `${block(field, [`key: ${JSON.stringify(key)}\n`, infoBlock(value)])}`).join('');
}

function infoBlock({ name, dtype, tensor_shape: { dim, unknown_rank: unknown } }: Infos[string]): string {
  const dims = dim.map(({ size }) => block('dim', [`size: ${size}\n`]));
  const shape = block('tensor_shape', unknown ? ['unknown_rank: true\n'] : dims);
  return block('value', [`name: ${JSON.stringify(name)}\n`, `dtype: ${dtype}\n`, shape]);
}

function block(name: string, lines: readonly string[]): string {
  return `${name} {\n${lines.join('').replace(/^(?=.)/gm, '  ')}}\n`;
}
