/** Classify and Regress as a Predict of serialized tf.Examples (classifier.cc, regressor.cc). */

import type { Signature, StringTensor, Tensor } from '../../domain/tensor.ts';
import { packTensor } from '../../tensor/packed.ts';
import { TfServingError } from './failure.ts';
import type { Results } from './results-text.ts';

export type Method = 'classify' | 'regress';

type Outputs = ReadonlyMap<string, Tensor>;

/** The key of the input, and of the outputs. */
export const INPUT = 'inputs';
const OUTPUTS = { classify: ['classes', 'scores'], regress: ['outputs'] } as const;
const NAMES = { classify: 'classification', regress: 'regression' } as const;

/** The outputs to ask for. Throws a 400 for a signature that is not one of the method. */
export function outputsOf(method: Method, key: string, signature: Signature | undefined): string[] {
  if (!signature) throw refused(`No signature was found with the name: ${key}`);
  const { inputs, outputs } = signature;
  if (inputs.length !== 1) throw refused('Expected one input Tensor.');
  const isCountRight = outputs.length === 1 || (method === 'classify' && outputs.length === 2);
  if (!isCountRight) {
    throw refused(
      method === 'classify'
        ? `Expected one or two output Tensors, found ${outputs.length}`
        : 'Expected one output Tensor.',
    );
  }
  const names = outputs.map(({ name }) => name);
  if (inputs[0]?.name !== INPUT) {
    throw refused(`No ${NAMES[method]} inputs found in SignatureDef: its input is ${inputs[0]?.name}`);
  }
  const found = OUTPUTS[method].filter((name) => names.includes(name));
  if (found.length > 0) return found;
  throw refused(
    method === 'classify'
      ? `Expected classification signature outputs to contain at least one of "classes" or "scores". Signature was: ${names}`
      : `No regression outputs found in SignatureDef: its output is ${names}`,
  );
}

/** The results of …:regress. Throws a 400 for outputs of another shape or type. */
export function regressionsOf(outputs: Outputs, count: number): Results {
  const values = outputs.get('outputs');
  if (!values) throw refused('Expected one output Tensor.');
  const { shape } = values;
  if (!(shape.length === 1 || (shape.length === 2 && shape[1] === 1))) {
    const wanted = 'Expected output Tensor shape to be either [batch_size] or [batch_size, 1]';
    throw refused(`${wanted} but got [${shape}]`);
  }
  if (shape[0] !== count) throw refused(`Input batch size did not match output batch size: ${count} vs. ${shape[0]}`);
  if (values.dtype !== 'DT_FLOAT') throw refused(`Expected output Tensor of DT_FLOAT.  Got: ${values.dtype}`);
  return { kind: 'regress', values: packTensor(values) };
}

/** The results of …:classify. Throws a 400 for outputs of another shape or type. */
export function classificationsOf(outputs: Outputs, count: number): Results {
  const classes = checked(outputs.get('classes'), 'classes', 'DT_STRING', count);
  const scores = checked(outputs.get('scores'), 'scores', 'DT_FLOAT', count);
  const [width = 0, other = width] = [classes, scores].flatMap((tensor) => tensor?.shape[1] ?? []);
  if (width !== other) {
    throw refused(`Tensors class and score should match in dim_size(1). Got ${width} vs. ${other}`);
  }
  return { kind: 'classify', count, width, classes: classes as StringTensor | undefined, scores };
}

function checked(tensor: Tensor | undefined, name: string, dtype: string, count: number): Tensor | undefined {
  if (!tensor) return undefined;
  const { shape } = tensor;
  if (shape.length !== 2) {
    throw refused(`Expected Tensor shape: [batch_size num_classes] but got [${shape}]`);
  }
  if (tensor.dtype !== dtype) throw refused(`Expected ${name} Tensor of ${dtype}. Got: ${tensor.dtype}`);
  if (shape[0] !== count) throw refused(`Expected ${name} output batch size of ${count}. Got: ${shape[0]}`);
  return packTensor(tensor);
}

function refused(text: string): TfServingError {
  return new TfServingError(400, text);
}
