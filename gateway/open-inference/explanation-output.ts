/** The explanations of a request as an output: the protocol has no other place for them. */
import type { Explanation } from '../domain/explanation.ts';
import { StringBuilder } from '../domain/strings.ts';
import type { Tensor } from '../domain/tensor.ts';
import { explanationMembers } from '../explain/members.ts';
import type { ExplainOptions } from '../explain/options.ts';

/** BYTES of the shape [rows], named `explanations`: the JSON of each. None where the request does not ask for them. */
export function explanationOutput(
  explanations: readonly (Explanation | undefined)[] | undefined,
  options: Pick<ExplainOptions, 'cells'> | undefined,
): (readonly [name: string, tensor: Tensor])[] {
  if (!explanations) return [];
  const texts = new StringBuilder(explanations.length);
  for (const one of explanations) texts.addText(JSON.stringify(one ? explanationMembers(one, options?.cells) : null));
  return [['explanations', texts.tensor([explanations.length])]];
}
