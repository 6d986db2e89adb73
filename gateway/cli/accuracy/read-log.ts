/** Reads the labels and predictions of prediction logs. */
import { feedbackSchema, predictionSchema } from '../../observe/prediction-log/schema.ts';
import { filesOf, isOfKind, linesOf, parsed } from '../log/files.ts';
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
  const files = await filesOf(paths);
  const tally = new Tally();
  let unreadable = 0;
  for (const file of files) {
    for await (const line of linesOf(file, 'feedback')) {
      const label = labelSchema.safeParse(parsed(line));
      if (label.success) tally.addLabel(label.data);
      else unreadable += Number(isOfKind(line, 'feedback'));
    }
  }
  for (const file of files) {
    for await (const line of linesOf(file, 'prediction')) {
      const prediction = predictedSchema.safeParse(parsed(line));
      if (prediction.success) tally.addPrediction(prediction.data);
      else unreadable += Number(isOfKind(line, 'prediction'));
    }
  }
  return { tally, unreadable };
}
