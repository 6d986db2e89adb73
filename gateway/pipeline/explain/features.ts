/** The features of a record: the elements of its inputs, by their names. */
import { elementCount } from '../../domain/shape.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';

/** More would need more calls than any budget has. */
const MAX_FEATURES = 2000;

/** An input whose first axis is the rows. Its elements of a row are features. */
export type FeatureInput = {
  readonly input: string;
  /** The elements of a row. */
  readonly elements: number;
  /** The index of its first feature. */
  readonly first: number;
};

export type FeatureList = { readonly names: readonly string[]; readonly inputs: readonly FeatureInput[] };

/**
 * The features of inputs with `rows` rows. An input with one element for each row is a feature of its name; others are `x[0]`, `x[1]` and
 * so on, row-major. An input without rows stays as it is in all calls.
 * @throws GatewayError explanation_unavailable for no features, and for too many.
 */
export function featuresOf(inputs: ReadonlyMap<string, Tensor>, rows: number): FeatureList {
  const names: string[] = [];
  const list: FeatureInput[] = [];
  for (const [input, { shape }] of inputs) {
    if (shape[0] !== rows) continue;
    const elements = elementCount(shape.slice(1));
    if (names.length + elements > MAX_FEATURES) {
      const detail = `explain: ${input.slice(0, 80)} has ${elements} numbers for each row; a record has at most ${MAX_FEATURES} features`;
      throw new GatewayError('explanation_unavailable', detail);
    }
    list.push({ input, elements, first: names.length });
    for (let element = 0; element < elements; element += 1) names.push(elements === 1 ? input : `${input}[${element}]`);
  }
  if (names.length > 0) return { names, inputs: list };
  throw new GatewayError('explanation_unavailable', 'explain: no input of the request has a row for each instance');
}
