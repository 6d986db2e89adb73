/** The text that a start with the embedded server prints. */
import { globSync } from 'node:fs';
import path from 'node:path';
import type { Config } from './config/schema.ts';
import type { ModelCard } from './model/card.ts';

/**
 * The address of the page, unless PLAYGROUND is off, and a curl command to try: with a picture of one of the models if there is one, and without a model
 * for images one that lists the models. Only the API key has to be filled in.
 */
export function greeting(
  { tlsCertFile, apiKeysFile, playground }: Pick<Config, 'tlsCertFile' | 'apiKeysFile' | 'playground'>,
  port: number,
  cards: ReadonlyMap<string, ModelCard>,
): string {
  // -k: curl does not trust most certificates used for development.
  const origin = tlsCertFile === undefined ? '' : '-k https://';
  const key = apiKeysFile === undefined ? '' : " -H 'X-API-Key: KEY'";
  const server = `${origin}localhost:${port}`;
  const hasImages = [...cards.values()].some(({ image }) => image);
  const scheme = tlsCertFile === undefined ? 'http' : 'https';
  const page = playground ? `: ${scheme}://localhost:${port}/` : '.';
  const ready = `\nReady${page}\n\nTry:\n\n`;
  if (!hasImages) return `${ready}  curl ${server}/models${key}\n\n`;
  const [example] = [...cards.values()].flatMap(({ folder }) => globSync(path.join(folder, 'parity/*.{jpg,png,webp}')));
  const file = example === undefined ? 'photo.jpg' : shortest(example);
  return `${ready}  curl ${server}/predict${key} -F file=@${file}\n\n`;
}

/** The path from the current folder if the file is below it, else the whole path. */
function shortest(file: string): string {
  const relative = path.relative('', file);
  return relative.startsWith('..') ? path.resolve(file) : relative;
}
