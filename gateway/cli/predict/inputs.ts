/** The arguments of `tensorgate predict` as items: pictures, URLs, and records in JSON files. */
import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { ConfigError } from '../../config/read.ts';
import type { Item, ReadPicture } from '../batch/item.ts';
import { causeOf } from '../gateway/address.ts';

type Content = { readonly input: string } & ({ readonly picture: ReadPicture } | { readonly json: string });

/** Reads the arguments. A JSON file has one instance, a list of them, or `instances`. Throws ConfigError, which names the argument. */
export function itemsOf(inputs: readonly string[]): readonly Item[] {
  return inputs.flatMap(contentsOf).map((content, index) => ({ index, ...content }));
}

/** Whether an argument is the URL of a picture. */
export const isUrl = (input: string) => /^[a-z][a-z\d+.-]*:\/\//i.test(input);

function contentsOf(input: string): Content | readonly Content[] {
  if (isUrl(input)) return { input, json: JSON.stringify({ url: input }) };
  const stat = statSync(input, { throwIfNoEntry: false });
  if (!stat) throw new ConfigError(`${input}: no such file; give pictures, URLs, or records in .json files`);
  if (stat.isDirectory()) throw new ConfigError(`${input}: is a folder; tensorgate batch predicts whole folders`);
  return input.toLowerCase().endsWith('.json') ? recordsOf(input) : { input, picture: () => readFile(input) };
}

function recordsOf(file: string): readonly Content[] {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const why = cause instanceof SyntaxError ? `is not JSON: ${cause.message}` : `cannot be read (${causeOf(cause)})`;
    throw new ConfigError(`${file}: ${why}`, { cause });
  }
  const { instances } = (value ?? {}) as { readonly instances?: unknown };
  const list: readonly unknown[] = Array.isArray(instances) ? instances : Array.isArray(value) ? value : [value];
  if (list.length === 0) throw new ConfigError(`${file}: has no instances`);
  return list.map((instance, index) => ({
    input: list.length === 1 ? file : `${file}[${index}]`,
    json: JSON.stringify(instance),
  }));
}
