/** Classify: which outputs a signature must have, and its outputs as classes. With TF-Serving's texts. */

import type { Classifications } from './protocol.ts';
import type { Outputs, Signature } from './session-worker.ts';
import { signatureText } from './signature-def.ts';
import { invalidArgument } from './status.ts';
import { bytesOfString } from './string-bytes.ts';
import type { OutputTensor } from './tensor.ts';

/** The outputs that are asked for, with their types. Each is [examples, classes]. */
const KINDS = { classes: 'DT_STRING', scores: 'DT_FLOAT' } as const;
type Kind = keyof typeof KINDS;

/** The outputs to run. @throws StatusError INVALID_ARGUMENT if the signature does not classify */
export function classificationOutputs(signature: Signature): Kind[] {
  const { size } = signature.outputs;
  if (size > 2) throw invalidArgument(`Expected one or two output Tensors, found ${size}`);
  const kinds = (Object.keys(KINDS) as Kind[]).filter((kind) => signature.outputs.has(kind));
  if (kinds.length > 0) return kinds;
  throw invalidArgument(
    'Expected classification signature outputs to contain at least one of "classes" or "scores". ' +
      `Signature was: ${signatureText(signature)}`,
  );
}

/** The classes of each example. @throws StatusError INVALID_ARGUMENT if type or shape of an output is wrong */
export function classifications(outputs: Outputs, examples: number): Classifications[] {
  const { classes, scores } = { classes: outputs.get('classes'), scores: outputs.get('scores') };
  if (classes) check('classes', classes, examples);
  if (scores) check('scores', scores, examples);
  if (classes && scores && classes.shape[1] !== scores.shape[1]) {
    throw invalidArgument(
      `Tensors class and score should match in dim_size(1). Got ${classes.shape[1]} vs. ${scores.shape[1]}`,
    );
  }
  const columns = (classes ?? scores)?.shape[1] ?? 0;
  return Array.from({ length: examples }, (_, row) => ({
    classes: Array.from({ length: columns }, (_, column) => {
      const at = row * columns + column;
      return {
        ...(classes && { label: bytesOfString(classes.data[at] as string).toString() }),
        ...(scores && { score: scores.data[at] as number }),
      };
    }),
  }));
}

function check(kind: Kind, { dtype, shape }: OutputTensor, examples: number): void {
  if (shape.length !== 2) {
    throw invalidArgument(`Expected Tensor shape: [batch_size num_classes] but got [${shape}]`);
  }
  if (dtype !== KINDS[kind]) throw invalidArgument(`Expected ${kind} Tensor of ${KINDS[kind]}. Got: ${dtype}`);
  if (shape[0] !== examples) {
    throw invalidArgument(`Expected ${kind} output batch size of ${examples}. Got: ${shape[0]}`);
  }
}
