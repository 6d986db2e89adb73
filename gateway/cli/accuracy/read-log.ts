/** Reads the lines of prediction logs: files, and folders of them. */
import { createReadStream } from 'node:fs';
import { glob, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ConfigError } from '../../config/read.ts';
import { feedbackSchema, predictionSchema } from '../../observe/prediction-log/schema.ts';
import { Tally } from './tally.ts';

const labelSchema = feedbackSchema.pick({ kind: true, schema: true, id: true, time: true, label: true });
const predictedSchema = predictionSchema.pick({
  kind: true,
  schema: true,
  id: true,
  model: true,
  version: true,
  class: true,
  score: true,
});

export type ReadLog = {
  readonly tally: Tally;
  /** Lines of the log that cannot be read: half a line after a kill, or a schema that is not known. */
  readonly unreadable: number;
};

/**
 * Reads all files twice: first their labels, which stay in memory, then their predictions. Other lines, as those of the log on
 * stdout, are skipped. Throws ConfigError for a path that does not exist.
 */
export async function readLog(paths: readonly string[]): Promise<ReadLog> {
  const files = (await Promise.all(paths.map(filesOf))).flat();
  const tally = new Tally();
  let unreadable = 0;
  for (const file of files) {
    for await (const line of linesOf(file, '"feedback"')) {
      const label = labelSchema.safeParse(parsed(line));
      if (label.success) tally.addLabel(label.data);
      else unreadable += Number(isOfKind(line, 'feedback'));
    }
  }
  for (const file of files) {
    for await (const line of linesOf(file, '"prediction"')) {
      const prediction = predictedSchema.safeParse(parsed(line));
      if (prediction.success) tally.addPrediction(prediction.data);
      else unreadable += Number(isOfKind(line, 'prediction'));
    }
  }
  return { tally, unreadable };
}

/** The files of a folder in the order of their names, also those that are still written. */
async function filesOf(given: string): Promise<string[]> {
  const about = await stat(given).catch(() => undefined);
  if (!about) throw new ConfigError(`${given}: no such file or folder`);
  if (!about.isDirectory()) return [given];
  const names = await Array.fromAsync(glob('*.jsonl{,.part}', { cwd: given }));
  return names.sort().map((name) => path.join(given, name));
}

/** The lines that have a word: a line without it needs no parsing. */
async function* linesOf(file: string, word: string): AsyncGenerator<string> {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.includes(word)) yield line;
  }
}

/** Undefined for half a line. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Whether a line that cannot be read is one of the log: its kind is at its beginning. */
function isOfKind(line: string, kind: string): boolean {
  return line.startsWith(`{"kind":"${kind}"`);
}
