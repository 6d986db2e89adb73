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
import { itemsOf } from './inputs.ts';
import { rowText } from './text.ts';

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

async function predictAll(
  items: readonly Item[],
  base: string,
  { key, scores, top, json, ...asked }: PredictOptions,
  ended = new AbortController().signal,
): Promise<readonly Row[]> {
  const url = predictAddress(base, '--url', asked);
  if (scores !== undefined) url.searchParams.set('scores', scores);
  const headers = keyHeader(key);
  const isText = !json && process.stdout.isTTY;
  const classes = new Set(isText ? (await askModel(base, asked.model, headers)).classes : []);
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
  for (const row of rows) process.stdout.write(`${isText ? rowText(row, classes, top) : JSON.stringify(row)}\n`);
  return rows;
}
