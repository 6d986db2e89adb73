/** `tensorgate predict PHOTO|URL|RECORD.json …`: predicts what it is given and prints it. */

import { groupsOf, type Item } from '../batch/item.ts';
import { askModel } from '../batch/model.ts';
import { Pace } from '../batch/pace.ts';
import { Refused } from '../batch/refused.ts';
import type { Row } from '../batch/row.ts';
import { send } from '../batch/send.ts';
import { work } from '../batch/work.ts';
import { type AskedModel, keyHeader, predictAddress } from '../gateway/address.ts';
import { findGateway } from '../gateway/find.ts';
import { isUrl, itemsOf } from './inputs.ts';
import { rowText, type TextOptions, terminalStyle } from './text.ts';

export type PredictOptions = AskedModel & {
  readonly url?: string;
  readonly key?: string;
  readonly scores?: string;
  /** How many classes the text shows. */
  readonly top: number;
  readonly json: boolean;
};

const AT_ONCE = 8;
const REQUEST_TIMEOUT_MS = 60_000;
/** A person waits for it. */
const WAIT_MS = 20_000;

/**
 * Prints text on a terminal, and one JSON object a line elsewhere or with --json. Exits with 0 if all was predicted, else with 1.
 * Throws ConfigError.
 */
export async function runPredict(inputs: readonly string[], options: PredictOptions): Promise<void> {
  const items = itemsOf(inputs);
  const found = options.url === undefined ? await findGateway() : { url: options.url };
  try {
    const rows = await predictAll(items, found.url, options, found.ended);
    if (rows.length < items.length || rows.some(({ error }) => error)) process.exitCode = 1;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } finally {
    if (Symbol.asyncDispose in found) await found[Symbol.asyncDispose]();
  }
}

/** How a terminal shows predictions: pictures with probabilities, unless --scores says raw or their model gives other numbers. */
async function textOptions(
  base: string,
  headers: Readonly<Record<string, string>>,
  items: readonly Item[],
  { model, scores, top }: Pick<PredictOptions, 'model' | 'top'> & { readonly scores: string | undefined },
): Promise<TextOptions> {
  const known = await askModel(base, model, headers);
  const arePictures = items.every((item) => 'picture' in item || isUrl(item.input ?? ''));
  const mayHaveProbabilities = arePictures && known.scores.size > 0 && !known.scores.has('values');
  const areProbabilities = scores === undefined ? mayHaveProbabilities : scores === 'probabilities';
  return { classes: new Set(known.classes), top, areProbabilities, style: terminalStyle };
}

async function predictAll(
  items: readonly Item[],
  base: string,
  { key, scores, top, json, ...asked }: PredictOptions,
  ended = new AbortController().signal,
): Promise<readonly Row[]> {
  const url = predictAddress(base, '--url', asked);
  const headers = keyHeader(key);
  const text =
    !json && process.stdout.isTTY ? await textOptions(base, headers, items, { scores, top, ...asked }) : undefined;
  const form = text?.areProbabilities ? 'probabilities' : scores;
  if (form !== undefined) url.searchParams.set('scores', form);
  const rows: Row[] = [];
  const given = async function* () {
    yield* items;
  };
  await work(
    groupsOf(given(), () => true, 1),
    {
      pace: new Pace(AT_ONCE),
      send: (group) => send(group, { url, headers, timeoutMs: REQUEST_TIMEOUT_MS }),
      onRows: (more) => void rows.push(...more),
      onBusy: () => undefined,
      waitMs: WAIT_MS,
      signal: ended,
    },
  );
  rows.sort((one, other) => one.index - other.index);
  for (const row of rows) process.stdout.write(`${text ? rowText(row, text) : JSON.stringify(row)}\n`);
  return rows;
}
