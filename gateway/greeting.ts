/** What is said to the person who has just started it. */
import { globSync } from 'node:fs';
import path from 'node:path';
import type { Config } from './config/schema.ts';
import type { ModelCard } from './model/card.ts';

/** A request to try, as a command that works as it stands but for the key: with a picture of a model's, where one has any. */
export function greeting(
  { tlsCertFile, apiKeysFile }: Pick<Config, 'tlsCertFile' | 'apiKeysFile'>,
  port: number,
  cards: ReadonlyMap<string, ModelCard>,
): string {
  const [example] = [...cards.values()].flatMap(({ folder }) => globSync(path.join(folder, 'parity/*.{jpg,png,webp}')));
  const file = example === undefined ? 'photo.jpg' : path.relative('', example);
  // A laptop's certificate is seldom one that curl knows.
  const origin = tlsCertFile === undefined ? '' : '-k https://';
  const key = apiKeysFile === undefined ? '' : " -H 'X-API-Key: KEY'";
  return `\nReady. Try:\n\n  curl ${origin}localhost:${port}/predict${key} -F file=@${file}\n\n`;
}
