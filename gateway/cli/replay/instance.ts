/** What of a logged prediction can be sent again. */
import { readFile } from 'node:fs/promises';
import type { PredictionLine } from '../../observe/prediction-log/schema.ts';
import type { ReadPicture } from '../batch/item.ts';
import type { Pictures } from './pictures.ts';

/** A picture, or an instance as JSON text. */
export type Instance = { readonly picture: ReadPicture } | { readonly json: string };

/** Why a prediction cannot be sent again. */
export type Missing = 'picture' | 'elements' | 'relayed';

export const MISSING: Readonly<Record<Missing, string>> = {
  picture: 'have a picture that is neither in --pictures nor at a URL',
  elements: 'have tensors of too many elements for the log',
  relayed: 'were passed on unread, so the log has no inputs',
};

/** A file with the same bytes comes before the URL: what is there may have changed, and the log has no query of it. */
export function instanceOf({ input }: Pick<PredictionLine, 'input'>, pictures: Pictures): Instance | Missing {
  if (input.kind === 'relayed') return 'relayed';
  if (input.kind === 'tensors') {
    return Object.keys(input.digests).length > 0 ? 'elements' : { json: JSON.stringify(input.values) };
  }
  const file = input.sha256 === null ? undefined : pictures.get(input.sha256);
  if (file !== undefined) return { picture: () => readFile(file) };
  return input.url === null ? 'picture' : { json: JSON.stringify({ url: input.url }) };
}
