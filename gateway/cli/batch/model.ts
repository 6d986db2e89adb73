/** What the gateway says of the model that a batch asks. */
import { ConfigError } from '../../config/read.ts';
import type { ScoreKind } from '../../domain/scores.ts';
import type { ListedModel } from '../../model/list.ts';
import { causeOf, routeOf } from '../gateway/address.ts';
import { Refused } from './refused.ts';

export type KnownModel = {
  readonly classes: readonly string[];
  /** What they give for their classes. */
  readonly scores: ReadonlySet<ScoreKind>;
  /** Inputs of strings. */
  readonly texts: ReadonlySet<string>;
};

/** Asks /models. Without `name`: what all models have. Throws Refused if the gateway does not answer or refuses. */
export async function askModel(
  base: string,
  name: string | undefined,
  headers: Readonly<Record<string, string>>,
): Promise<KnownModel> {
  const url = routeOf(base, '/models', '--gateway');
  const response = await fetch(url, { headers }).catch((cause) => {
    throw new Refused(`${url.origin}: no gateway answers there (${causeOf(cause)})`, { cause });
  });
  const text = await response.text();
  if (!response.ok) throw new Refused(`${url.href}: ${response.status} ${text.slice(0, 500)}`);
  const { models } = JSON.parse(text) as { readonly models: readonly ListedModel[] };
  const asked = models.filter((model) => name === undefined || model.name === name);
  if (asked.length === 0 && models.length > 0) {
    throw new ConfigError(`--model ${name}: the gateway has ${models.map((model) => model.name).join(', ')}`);
  }
  const inputs = asked.flatMap(({ signature }) => signature?.inputs ?? []);
  return {
    classes: asked.flatMap(({ classes }) => classes ?? []),
    scores: new Set(asked.flatMap(({ scores }) => scores ?? [])),
    texts: new Set(inputs.flatMap((input) => (input.dtype === 'DT_STRING' ? input.name : []))),
  };
}
