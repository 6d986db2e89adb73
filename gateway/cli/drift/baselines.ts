/** Finds what the predictions of a version are compared with. */
import { statSync } from 'node:fs';
import { ConfigError } from '../../config/read.ts';
import { FileError, readSmallFile } from '../../domain/small-file.ts';
import { type Baseline, parseBaseline, readBaseline } from '../../model/baseline.ts';
import { BaselineBuilder } from '../baseline/build.ts';
import { isIn, type LogCounts, type Period, predictionsOf } from '../log/features.ts';
import { periodOf } from '../log/period.ts';
import { modelPath } from '../models/model-folder.ts';

/** `period`: the part of the log that is compared with it. */
export type Baselines = {
  readonly of: (model: string, version: number) => Promise<Baseline | undefined>;
  readonly period: Period;
};

export type BaselineOptions = {
  /** A file, the number of a version, or a part of the log. Unset: each version has its own. */
  readonly baseline: string | undefined;
  /** The folder MODELS. */
  readonly models: string;
  readonly period: Period;
};

/** Throws ConfigError for what is no baseline, and BaselineError for a file of a version that cannot be used. */
export async function findBaselines(
  log: readonly string[],
  { baseline: given, models, period }: BaselineOptions,
  counts: LogCounts,
): Promise<Baselines> {
  const ofVersion = (model: string, version: number) => readBaseline(modelPath(models, model), version);
  if (given === undefined) return { of: ofVersion, period };
  if (/^\d+$/.test(given)) return { of: (model) => ofVersion(model, Number(given)), period };
  const earlier = statSync(given, { throwIfNoEntry: false }) ? undefined : periodOf(given);
  if (earlier) {
    const made = await baselinesOf(log, earlier, counts);
    const of = async (model: string, version: number) => made.get(keyOf(model, version));
    return { of, period: { ...period, from: period.from ?? earlier.to } };
  }
  const baseline = await readFile(given);
  // Another version is what a baseline of a file is for; another model has other features.
  return { of: async (model) => (model === baseline.model ? baseline : undefined), period };
}

async function readFile(file: string): Promise<Baseline> {
  try {
    return parseBaseline((await readSmallFile(file)).toString());
  } catch (cause) {
    const missing = cause instanceof FileError && cause.code === 'ENOENT';
    const forms = 'a baseline is a file, the number of a version, or a part of the log such as 2026-11-30 or FROM/TO';
    const why = cause instanceof FileError ? cause.message : `is no baseline of this schema`;
    throw new ConfigError(`--baseline ${file}: ${missing ? `no such file; ${forms}` : why}`, { cause });
  }
}

/** Baselines of an earlier part of the log, by version. */
async function baselinesOf(
  log: readonly string[],
  period: Period,
  counts: LogCounts,
): Promise<ReadonlyMap<string, Baseline>> {
  const builders = new Map<string, BaselineBuilder>();
  const own = { ...counts };
  for await (const prediction of predictionsOf(log, own)) {
    const { time, model, version } = prediction;
    if (!isIn(period, time)) continue;
    const key = keyOf(model, version);
    const builder = builders.get(key) ?? new BaselineBuilder({ model, version });
    builders.set(key, builder);
    builder.add(prediction);
  }
  const source = `predictions ${period.from === undefined ? '' : `from ${period.from} `}until ${period.to}`;
  return new Map(Array.from(builders, ([key, builder]) => [key, builder.baseline(source)]));
}

const keyOf = (model: string, version: number) => `${version} ${model}`;
