/** `tensorgate batch`: predicts everything in INPUT, and goes on where an earlier run was stopped. */
import { type AskedModel, keyHeader, predictAddress } from '../gateway/address.ts';
import { startOwnGateway } from '../gateway/own.ts';
import { createOutput } from '../output.ts';
import { openInput } from './input/open.ts';
import { groupsOf, type Input } from './item.ts';
import type { Journal, JournalHead } from './journal.ts';
import { askModel } from './model.ts';
import { openPlace } from './output/open.ts';
import type { Place } from './output/place.ts';
import { Pace } from './pace.ts';
import { type Counts, numberText, showProgress } from './progress.ts';
import { Refused } from './refused.ts';
import type { Row } from './row.ts';
import { Scratch } from './scratch.ts';
import { send, type Target } from './send.ts';
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
  try {
    await using scratch = new Scratch();
    const place = await openPlace(options.output, scratch);
    await using own = options.gateway === undefined ? await startOwnGateway() : undefined;
    const base = options.gateway ?? own?.url ?? '';
    const headers = keyHeader(own ? undefined : options.key);
    const url = predictAddress(base, '--gateway', options);
    const { classes, texts } = await askModel(base, options.model, headers);
    const opened = await openInput(input, { texts, scratch });
    const journal = await place.openJournal(await headOf(opened, input, options));
    try {
      const target = { url, headers, timeoutMs: REQUEST_TIMEOUT_MS };
      await runItems({ input: opened, journal, place, target, classes, options, gatewayEnded: own?.ended });
    } finally {
      journal.close();
    }
    await place.removeJournal();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

async function headOf(opened: Input, input: string, options: BatchOptions): Promise<JournalHead> {
  const { shard, model, modelVersion, label } = options;
  const { total, fingerprint } = await surveyOf(opened, input);
  return {
    input,
    fingerprint,
    total,
    shard: `${shard.index}/${shard.count}`,
    model: [model, modelVersion, label].map((part) => part ?? '').join('/'),
  };
}

type Run = {
  readonly input: Input;
  readonly journal: Journal;
  readonly place: Place;
  readonly target: Target;
  readonly classes: readonly string[];
  readonly options: BatchOptions;
  readonly gatewayEnded: AbortSignal | undefined;
};

/** Predicts what is left, writes the output and prints the summary. */
async function runItems(run: Run): Promise<void> {
  const { journal, place, options, gatewayEnded } = run;
  const { shard, output, json } = options;
  const total = sizeOf(shard, journal.items);
  const before = journal.done;
  const startMs = performance.now();
  const { progress, result } = createOutput(json);
  if (place.isWritten) progress(`${output} is written already`);
  else if (before > 0) progress(`goes on: ${numberText(before)} of ${numberText(total)} are done`);
  try {
    if (!place.isWritten) await predictLeft(run, total);
  } finally {
    await place.keep();
  }
  if (place.isWritten) return;
  if (journal.done < total) {
    const left = `${numberText(journal.done)} of ${numberText(total)} are done; the same command goes on from there`;
    throw new Refused(gatewayEnded?.aborted ? `the gateway of this command ended: ${left}` : `stopped: ${left}`);
  }
  const seconds = (performance.now() - startMs) / 1000;
  await place.write(journal);
  const tally = new Tally(run.classes);
  for (const line of journal.lines()) tally.count(JSON.parse(line) as Row);
  const summary = tally.summary(output, total - before, seconds);
  result(summary, summaryText(summary));
}

/** Resolves when all items have their results in the journal, or the batch is stopped. */
async function predictLeft({ input, journal, place, target, options, gatewayEnded }: Run, total: number) {
  const { shard, concurrency, batchSize, waitMs } = options;
  const pace = new Pace(concurrency);
  let errors = 0;
  let waits: string | undefined;
  const counts = (): Counts => ({ done: journal.done, total, errors, limit: pace.limit, waits });
  using stop = stopSignal();
  using _progress = showProgress(counts);
  const isLeft = (index: number) => isInShard(index, shard) && !journal.has(index);
  await work(groupsOf(input.items(), isLeft, batchSize), {
    pace,
    waitMs,
    signal: AbortSignal.any([stop.signal, gatewayEnded, place.failed].flatMap((signal) => signal ?? [])),
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
