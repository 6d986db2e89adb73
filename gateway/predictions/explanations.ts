/** Explanations in answers: beside the predictions as JSON, or as the heat map of the only one. */
import type { Explanation } from '../domain/explanation.ts';
import { GatewayError } from '../errors.ts';
import { drawHeat } from '../explain/heat/png.ts';
import { explanationMembers } from '../explain/members.ts';
import type { ExplainOptions } from '../explain/options.ts';
import type { Answer } from '../http/answer.ts';

/** The member beside the predictions. */
const MEMBER = 'explanations';

export type Explained = {
  readonly options: ExplainOptions | undefined;
  /** For each instance; undefined for one without a prediction. */
  readonly explanations: readonly (Explanation | undefined)[] | undefined;
  /** The answer is one prediction, not a list. */
  readonly flat: boolean;
};

/**
 * Throws `invalid_request` where the member would have the name of another one: an answer of one prediction has the names of classes
 * and outputs. `names`: those of the answer.
 */
export function refuseName(options: ExplainOptions | undefined, flat: boolean, names: readonly string[]): void {
  if (!options || !flat || !names.includes(MEMBER)) return;
  const detail = `${options.place}explain: the model has a class or an output called ${MEMBER}; send instances`;
  throw new GatewayError('invalid_request', detail);
}

/** Adds the explanations to an answer in JSON: one for one prediction, else a list. For `png` the map is the answer. */
export async function withExplanations(answer: Answer, { options, explanations, flat }: Explained): Promise<Answer> {
  if (!options || !explanations) return answer;
  const [first] = explanations;
  if (options.format === 'png' && first) {
    return { ...answer, headers: { ...answer.headers, 'Content-Type': 'image/png' }, body: await drawHeat(first) };
  }
  const members = explanations.map((one) => (one ? explanationMembers(one, options.cells) : null));
  return { ...answer, body: joined(answer.body, JSON.stringify(flat ? members[0] : members)) };
}

/** The JSON with one more member. What is no object is the value of `predictions`. */
function joined(body: Answer['body'], text: string): readonly Uint8Array[] {
  const whole = Buffer.concat((Array.isArray(body) ? body : [body]).map((piece) => Buffer.from(piece)));
  const isObject = whole[0] === 0x7b;
  const before = isObject ? whole.subarray(0, -1) : Buffer.concat([Buffer.from('{"predictions":'), whole]);
  const isEmpty = isObject && whole.length === 2;
  return [before, Buffer.from(`${isEmpty ? '' : ','}${JSON.stringify(MEMBER)}:${text}}`)];
}
