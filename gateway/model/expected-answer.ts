/** What an answer of a version has for each instance, by its signature and model.yaml. */
import type { ExpectedAnswer } from '../domain/backend.ts';
import type { Signature, TensorInfo } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';

/** The answer where the output `wanted` has the scores of `classes` classes. */
export function expectedAnswer({ outputs }: Signature, wanted: TensorInfo, classes: number): ExpectedAnswer {
  const elements = outputs.map((output) => (output === wanted ? classes : elementsOf(output)));
  return { outputs: [wanted.name], wantedElements: classes, elements: finite(sum(elements)) };
}

/** The answer with whole outputs: those named, or all. Throws `invalid_request` for a name that the signature lacks. */
export function expectedTensors({ outputs }: Signature, names?: readonly string[]): ExpectedAnswer {
  const known = outputs.map(({ name }) => name);
  const unknown = names?.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const detail = `outputs: no ${unknown.slice(0, 80)} in this signature; it has ${known.join(', ') || 'none'}`;
    throw new GatewayError('invalid_request', detail);
  }
  const elements = sum(outputs.map(elementsOf));
  return { outputs: names ?? known, wantedElements: elements, elements: finite(elements) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function finite(number: number): number | undefined {
  return Number.isFinite(number) ? number : undefined;
}

/** The elements of an output for one instance: the first axis is the batch. Infinite if the signature does not tell. */
function elementsOf({ dtype, shape }: TensorInfo): number {
  // The length of strings is in no signature.
  if (dtype === 'DT_STRING' || shape === null) return Number.POSITIVE_INFINITY;
  const [batch = 1, ...axes] = shape;
  return [Math.max(batch, 1), ...axes].reduce(
    (product, size) => product * (size < 0 ? Number.POSITIVE_INFINITY : size),
    1,
  );
}
