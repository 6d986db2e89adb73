/** `tensorgate explain PHOTO|URL|RECORD.json`: asks a gateway what has moved the score, and prints it or writes the heat map. */
import { writeFile } from 'node:fs/promises';
import { ConfigError } from '../../config/read.ts';
import type { Item } from '../batch/item.ts';
import { type AskedModel, causeOf, keyHeader, predictAddress } from '../gateway/address.ts';
import { findGateway } from '../gateway/find.ts';
import { isUrl, itemsOf } from '../predict/inputs.ts';
import { explanationText, type ShownExplanation } from './text.ts';

export type ExplainOptions = AskedModel & {
  readonly method: string;
  readonly target?: string;
  readonly budget?: number;
  /** The file of the heat map. */
  readonly output?: string;
  readonly url?: string;
  readonly key?: string;
  readonly json: boolean;
};

/** Exits with 1 for an error of the gateway. Throws ConfigError for an input that cannot be explained, and an output that cannot be written. */
export async function runExplain(what: string, options: ExplainOptions): Promise<void> {
  const [item, more] = itemsOf([what]);
  if (!item || more) throw new ConfigError(`${what}: has several records; explain takes one`);
  const isPicture = 'picture' in item || isUrl(what);
  if (options.output !== undefined && !isPicture) {
    throw new ConfigError(`--output: only pictures have a heat map; ${what} is a record`);
  }
  const found = options.url === undefined ? await findGateway() : { url: options.url };
  try {
    await explain(item, found.url, options);
  } finally {
    if (Symbol.asyncDispose in found) await found[Symbol.asyncDispose]();
  }
}

async function explain(item: Item, base: string, { key, output, json, ...options }: ExplainOptions): Promise<void> {
  const { method, target, budget, ...asked } = options;
  const url = predictAddress(base, '--url', asked);
  const parameters = { '': method, target, budget, format: output === undefined ? undefined : 'png' };
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name === '' ? 'explain' : `explain.${name}`, String(value));
  }
  const response = await fetch(url, await requestOf(item, keyHeader(key))).catch((error: unknown) =>
    fail(`${url.origin}: no gateway answers there (${causeOf(error)})`),
  );
  if (!response) return;
  if (!response.ok) return fail(`${response.status} ${detailOf(await response.text())}`);
  if (output !== undefined) return write(output, await response.bytes());
  const { explanations } = (await response.json()) as { readonly explanations: ShownExplanation };
  const isText = process.stdout.isTTY && !json;
  process.stdout.write(`${isText ? explanationText(explanations) : JSON.stringify(explanations)}\n`);
}

async function requestOf(item: Item, headers: Readonly<Record<string, string>>): Promise<RequestInit> {
  if ('picture' in item) {
    const body = await item.picture();
    return { method: 'POST', headers: { ...headers, 'Content-Type': 'application/octet-stream' }, body };
  }
  return { method: 'POST', headers: { ...headers, 'Content-Type': 'application/json' }, body: item.json };
}

async function write(file: string, png: Uint8Array): Promise<void> {
  try {
    await writeFile(file, png);
  } catch (cause) {
    throw new ConfigError(`--output ${file}: cannot be written (${causeOf(cause)})`, { cause });
  }
  process.stderr.write(`${file}: written\n`);
}

/** What a problem says, or the text of another answer. */
function detailOf(text: string): string {
  try {
    return String((JSON.parse(text) as { readonly detail?: unknown }).detail ?? text);
  } catch {
    return text.slice(0, 500); // not JSON: no gateway of this kind
  }
}

function fail(text: string): undefined {
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}
