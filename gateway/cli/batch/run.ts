/** `tensorgate batch`: predicts everything in INPUT, and goes on where an earlier run was stopped. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ConfigError } from '../../config/read.ts';
import { type AskedModel, keyHeader, predictAddress } from '../gateway/address.ts';
import { startOwnGateway } from '../gateway/own.ts';
import { createOutput } from '../output.ts';
import { openInput } from './input/open.ts';
import { groupsOf, type Input } from './item.ts';
import { Journal } from './journal.ts';
import { askModel, type KnownModel } from './model.ts';
import { outputForm, writeOutput } from './output/write.ts';
import { Pace } from './pace.ts';
import { type Counts, numberText, showProgress } from './progress.ts';
import type { Row } from './row.ts';
import { Refused, send, type Target } from './send.ts';
import { isInShard, type Shard, sizeOf } from './shard.ts';
import { summaryText, Tally } from './summary.ts';
import { surveyOf } from './survey.ts';
import { work } from './work.ts';

export type BatchOptions = AskedModel & {
  readonly output: string;
  readonly gateway?: string;
  readonly key?: string;
  readonly shard: Shard;
  /** Most requests in flight. */
  readonly concurrency: number;
  /** Most instances of one request. Pictures of files are sent one by one. */
  readonly batchSize: number;
  readonly waitMs: number;
  readonly json: boolean;
};

/** The gateway's own deadline is shorter. */
const REQUEST_TIMEOUT_MS = 300_000;

/**
 * Exits with 0 when every item has a row in the output, with its prediction or its error, and with 1 when it stopped before. Throws
 * ConfigError.
 */
export async function runBatch(input: string, options: BatchOptions): Promise<void> {
  const { output } = options;
  outputForm(output);
  const journalFile = `${output}.journal`;
  if (existsSync(output) && !existsSync(journalFile)) {
    throw new ConfigError(`--output ${output}: exists already; remove it, or name another file`);
  }
  mkdirSync(path.dirname(output), { recursive: true });
  try {
    await using own = options.gateway === undefined ? await startOwnGateway() : undefined;
    const base = options.gateway ?? own?.url ?? '';
    const headers = keyHeader(own ? undefined : options.key);
    const url = predictAddress(base, '--gateway', options);
    const model = await askModel(base, options.model, headers);
    const opened = openInput(input, model.texts);
    const journal = await openJournal(opened, input, options, journalFile);
    try {
      await runItems(opened, journal, { url, headers, timeoutMs: REQUEST_TIMEOUT_MS }, options, model, own?.ended);
    } finally {
      journal.close();
    }
    rmSync(journalFile);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

async function openJournal(opened: Input, input: string, options: BatchOptions, file: string): Promise<Journal> {
  const { shard, model, modelVersion, label } = options;
  const { total, fingerprint } = await surveyOf(opened, input);
  return new Journal(file, {
    input,
    fingerprint,
    total,
    shard: `${shard.index}/${shard.count}`,
    model: [model, modelVersion, label].map((part) => part ?? '').join('/'),
  });
}

async function runItems(
  input: Input,
  journal: Journal,
  target: Target,
  options: BatchOptions,
  { classes }: KnownModel,
  gatewayEnded: AbortSignal | undefined,
): Promise<void> {
  const { shard, concurrency, batchSize, waitMs, output, json } = options;
  const total = sizeOf(shard, journal.items);
  const before = journal.done;
  const startMs = performance.now();
  const pace = new Pace(concurrency);
  let errors = 0;
  let waits: string | undefined;
  const counts = (): Counts => ({ done: journal.done, total, errors, limit: pace.limit, waits });
  const { progress, result } = createOutput(json);
  if (before > 0) progress(`goes on: ${numberText(before)} of ${numberText(total)} are done`);
  using stop = stopSignal();
  {
    using _progress = showProgress(counts);
    const isLeft = (index: number) => isInShard(index, shard) && !journal.has(index);
    await work(groupsOf(input.items(), isLeft, batchSize), {
      pace,
      waitMs,
      signal: gatewayEnded ? AbortSignal.any([stop.signal, gatewayEnded]) : stop.signal,
      send: (group) => send(group, target),
      onRows(rows) {
        journal.append(rows);
        errors += rows.filter(({ error }) => error !== undefined).length;
        waits = undefined;
      },
      onBusy(why) {
        waits = why;
      },
    });
  }
  if (journal.done < total) {
    const left = `${numberText(journal.done)} of ${numberText(total)} are done; the same command goes on from there`;
    throw new Refused(gatewayEnded?.aborted ? `the gateway of this command ended: ${left}` : `stopped: ${left}`);
  }
  const seconds = (performance.now() - startMs) / 1000;
  await writeOutput(() => journal.lines(), output);
  const tally = new Tally(classes);
  for (const line of journal.lines()) tally.count(JSON.parse(line) as Row);
  const summary = tally.summary(output, total - before, seconds);
  result(summary, summaryText(summary));
}

/** Aborted by Ctrl-C and SIGTERM; then what was sent is still answered. A second signal ends the process. */
function stopSignal(): Disposable & { readonly signal: AbortSignal } {
  const stop = new AbortController();
  const abort = () => stop.abort();
  process.once('SIGINT', abort).once('SIGTERM', abort);
  return {
    signal: stop.signal,
    [Symbol.dispose]() {
      process.off('SIGINT', abort).off('SIGTERM', abort);
    },
  };
}
