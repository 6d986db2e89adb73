/** `tensorgate baseline NAME --data DATA`: makes the baseline of a version that came without one. */
import { createReadStream, statSync } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ConfigError } from '../../config/read.ts';
import { type Baseline, baselineFile } from '../../model/baseline.ts';
import { Refused } from '../batch/refused.ts';
import { Scratch } from '../batch/scratch.ts';
import { isIn, type LogCounts, type Period, predictionsOf } from '../log/features.ts';
import { isOfKind } from '../log/files.ts';
import { writeAtomically } from '../models/disk.ts';
import { refused, writeFailure } from '../models/failure.ts';
import { modelPath, newestVersion, readModelFolder } from '../models/model-folder.ts';
import { jsonText, readCardText } from '../models/records.ts';
import { createOutput, type Output } from '../output.ts';
import { BaselineBuilder } from './build.ts';
import { recordData } from './record.ts';

export type BaselineOptions = {
  readonly data: string;
  /** The folder MODELS. */
  readonly models: string;
  readonly modelVersion?: string;
  /** Of a prediction log. */
  readonly period: Period;
  /** What the baseline says of its rows. */
  readonly source?: string;
  readonly replace: boolean;
  readonly json: boolean;
};

/** Writes MODELS/NAME/baseline/VERSION.json. Exits with 1 where the data cannot be predicted. Throws ConfigError, ModelCardError and ModelsError. */
export async function runBaseline(name: string, options: BaselineOptions): Promise<void> {
  const folder = modelPath(options.models, name);
  if ((await readCardText(folder, name)) === undefined) {
    throw refused(`${path.join(folder, 'model.yaml')}: does not exist; tensorgate models new ${name} writes one`);
  }
  const output = createOutput(options.json);
  const likely = options.modelVersion ?? newestVersion(await readModelFolder(options.models, name));
  if (likely !== undefined) await refuseToReplace(baselineFile(folder, Number(likely)), options.replace);
  try {
    const baseline = await baselineOf(name, options, output);
    const file = await write(folder, baseline, options.replace);
    const features = Object.keys(baseline.features);
    output.result(
      { file, ...baseline },
      `${file}: ${baseline.rows} rows, features ${features.join(', ')}\nA running gateway reads it within seconds.`,
    );
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

async function baselineOf(name: string, options: BaselineOptions, output: Output): Promise<Baseline> {
  const { data, models, modelVersion, source = path.basename(data), period } = options;
  if (await isLog(data)) return fromLog(name, data, { modelVersion, source, period });
  if (period.from !== undefined || period.to !== undefined) {
    throw new ConfigError('--since and --until: are for a prediction log as --data');
  }
  await using scratch = new Scratch();
  const asked = { model: name, ...(modelVersion !== undefined && { modelVersion }) };
  const { log, predicted, failed, firstError } = await recordData(data, asked, { MODELS: models }, scratch);
  if (failed > 0) output.progress(`${failed} of ${predicted + failed} without a prediction: ${firstError?.detail}`);
  if (predicted === 0) throw new Refused(`${data}: nothing was predicted`);
  return fromLog(name, log, { modelVersion, source, period: {} });
}

/** Whether it has lines of a prediction log: a folder by its names, a file by its first line. */
async function isLog(data: string): Promise<boolean> {
  const about = statSync(data, { throwIfNoEntry: false });
  if (about?.isDirectory()) return (await readdir(data)).some((name) => /\.jsonl(\.part)?$/.test(name));
  if (!about || !/\.jsonl(\.part)?$/.test(data)) return false;
  for await (const line of createInterface({ input: createReadStream(data) })) {
    return isOfKind(line, 'prediction') || isOfKind(line, 'feedback');
  }
  return false;
}

type LogOptions = Pick<BaselineOptions, 'period'> & {
  readonly modelVersion: string | undefined;
  readonly source: string;
};

/** The baseline of the version that was asked for, else of the newest in the log. Throws ConfigError without a prediction of it. */
async function fromLog(model: string, log: string, { modelVersion, source, period }: LogOptions): Promise<Baseline> {
  const builders = new Map<number, BaselineBuilder>();
  const counts: LogCounts = { unreadable: 0 };
  for await (const prediction of predictionsOf([log], counts)) {
    const { time, version } = prediction;
    if (prediction.model !== model || !isIn(period, time)) continue;
    if (modelVersion !== undefined && String(version) !== modelVersion) continue;
    const builder = builders.get(version) ?? new BaselineBuilder({ model, version });
    builders.set(version, builder);
    builder.add(prediction);
  }
  const newest = builders.get(Math.max(...builders.keys()));
  if (newest) return newest.baseline(source);
  const what = modelVersion === undefined ? model : `${model} version ${modelVersion}`;
  throw new ConfigError(`--data ${log}: has no prediction of ${what}`);
}

async function refuseToReplace(file: string, mayReplace: boolean): Promise<void> {
  if (!mayReplace && (await stat(file).catch(() => undefined))) throw refused(`${file}: exists; give --replace`);
}

/** Returns the file. Throws ModelsError. */
async function write(folder: string, baseline: Baseline, mayReplace: boolean): Promise<string> {
  const file = baselineFile(folder, baseline.version);
  await refuseToReplace(file, mayReplace);
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeAtomically(file, jsonText(baseline));
  } catch (error) {
    throw writeFailure(error, 'no baseline was written');
  }
  return file;
}
