/** `tensorgate replay`: sends the predictions of a log to two versions, and says what their answers tell. */
import { startOwnGateway } from '../gateway/own.ts';
import type { Period } from '../log/features.ts';
import { createOutput } from '../output.ts';
import { boundsIn } from '../verdict/bounds.ts';
import { exitCodeOf, reportOf } from '../verdict/report.ts';
import { textOf } from '../verdict/text.ts';
import { compare, type Outcomes } from './compare.ts';
import { MISSING, type Missing } from './instance.ts';
import { type Sampled, sampleOf } from './log.ts';
import { picturesIn } from './pictures.ts';

export type ReplayOptions = {
  readonly version: number;
  readonly against: number;
  readonly model?: string | undefined;
  readonly period: Period;
  readonly pictures: readonly string[];
  readonly limit: number;
  /** The folder MODELS. */
  readonly models: string;
  readonly gateway?: string | undefined;
  readonly key?: string | undefined;
  readonly concurrency: number;
  readonly json: boolean;
};

/** Prints the verdict and sets the exit code. Throws ConfigError, ModelsError and ModelCardError. */
export async function runReplay(paths: readonly string[], options: ReplayOptions): Promise<void> {
  const { version, against, models, gateway, key, concurrency, json } = options;
  const sampled = await sampleOf(paths, { ...options, pictures: await picturesIn(options.pictures) });
  const { model, instances } = sampled;
  // The requests of this command are no traffic.
  await using own =
    gateway === undefined ? await startOwnGateway({ MODELS: models, PREDICTION_LOG: 'off' }) : undefined;
  const target = { base: gateway ?? own?.url ?? '', key: own ? undefined : key, concurrency };
  const outcomes = await compare(instances, { model, candidate: version, reference: against }, target);
  const report = reportOf(outcomes.compared, await boundsIn(models, outcomes.compared));
  const log = aboutLog(sampled, outcomes);
  createOutput(json).result({ ...report, log }, [textOf(report), ...notesOf(log)].join('\n'));
  process.exitCode = exitCodeOf(report);
}

/** What of the log was sent, and what was not, by the reason. */
type AboutLog = {
  readonly replayable: number;
  readonly sent: number;
  readonly missing: Readonly<Partial<Record<Missing, number>>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly unreadableLines: number;
};

function aboutLog({ replayable, instances, missing, unreadable }: Sampled, { refused }: Outcomes): AboutLog {
  return {
    replayable,
    sent: instances.length,
    missing: Object.fromEntries(missing),
    refused: Object.fromEntries(refused),
    unreadableLines: unreadable,
  };
}

function notesOf({ replayable, sent, missing, refused, unreadableLines }: AboutLog): readonly string[] {
  const notes = [
    ...(sent < replayable ? [`sent ${sent} of ${replayable} predictions, chosen at random: see --limit`] : []),
    ...Object.entries(missing).map(([why, count]) => `${count} predictions ${MISSING[why as Missing]}`),
    ...Object.entries(refused).map(([kind, count]) => `${count} requests were refused by both versions: ${kind}`),
    ...(unreadableLines > 0 ? [`${unreadableLines} lines cannot be read`] : []),
  ];
  return notes.length > 0 ? ['', ...notes] : [];
}
