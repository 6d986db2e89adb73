/** The third stage: the filled tensor sent to the model, and the scores of each of its rows. */

import type { PredictCall, Prediction, PredictTarget } from '../domain/backend.ts';
import type { RequestContext } from '../domain/request.ts';
import { asGatewayError, type GatewayError } from '../errors.ts';
import { hasRows, nameScores, type ScoreOptions, type Scores } from '../scores/scores.ts';
import { requireAnswer } from './require-answer.ts';

/** A tensor to predict. */
export type Batch = {
  readonly target: PredictTarget;
  readonly call: PredictCall;
  /** Rows that are filled. */
  readonly count: number;
  /** The output tensor that holds the scores. */
  readonly output: string;
  readonly options: ScoreOptions;
};

export type ScoredBatch = {
  /** The version that answered, where the server tells it. */
  readonly version: number | undefined;
  /** The scores of each row, or its error. */
  readonly rows: readonly (Scores | GatewayError)[];
};

/**
 * Predicts all rows with one call. Each row is predicted by a separate call, once, where the model's batch axis is 1, where
 * the answer has another number of rows (rows and instances cannot be matched), and where a model that decodes images
 * itself cannot decode one of them. Throws the first row's error where no row has scores.
 */
export async function ask(batch: Batch, context: RequestContext): Promise<ScoredBatch> {
  const { target, call, count, output, options } = batch;
  if (count > 1 && target.input.isSingle) return askSingly(batch, context);
  const prediction = await send(batch, call, count, context).catch((thrown: unknown) => {
    // The model decodes the images itself and could not decode one of them.
    if (count > 1 && asGatewayError(thrown).kind === 'image_unreadable') return undefined;
    throw thrown;
  });
  if (!prediction) return askSingly(batch, context);
  const { version, outputs } = prediction;
  const scores = outputs.get(output);
  if (count === 1 || hasRows(scores, count))
    return { version, rows: throwIfAllFailed(nameScores(scores, count, options)) };
  context.log.warn(
    { count, shape: scores?.shape },
    'the model answered with another number of rows; asking for each row by itself',
  );
  return askSingly(batch, context);
}

/** Sends a call. Throws an error that is outdated where another version has answered, or without the output. */
async function send(
  { target, output }: Batch,
  call: PredictCall,
  count: number,
  context: RequestContext,
): Promise<Prediction> {
  const prediction = await call.send(count, context);
  requireAnswer(prediction, target.servable.version, [output]);
  return prediction;
}

/** Returns the rows, or throws the first error where all of them failed. */
function throwIfAllFailed(rows: ScoredBatch['rows']): ScoredBatch['rows'] {
  const [first] = rows;
  if (rows.every((row) => row instanceof Error)) throw first;
  return rows;
}

/** Predicts each row by a separate call. Throws the first error where all rows failed. */
async function askSingly(batch: Batch, context: RequestContext): Promise<ScoredBatch> {
  const answers: ScoredBatch[] = [];
  for (let row = 0; row < batch.count; row += 1) answers.push(await askOne(batch, row, context));
  const rows = throwIfAllFailed(answers.flatMap((answer) => answer.rows));
  return { version: answers.find(({ version }) => version !== undefined)?.version, rows };
}

/** Predicts one row. A failure of the model is the row's error; any other failure is thrown. */
async function askOne(batch: Batch, row: number, context: RequestContext): Promise<ScoredBatch> {
  const { output, options } = batch;
  try {
    const single = batch.call.single(row);
    const { version, outputs } = await send(batch, single, 1, context);
    single.release();
    return { version, rows: nameScores(outputs.get(output), 1, options) };
  } catch (thrown) {
    const error = asGatewayError(thrown);
    const isOfRow = error.kind === 'model_failed' || error.kind === 'image_unreadable';
    if (error.isOutdated || !isOfRow) throw error;
    return { version: undefined, rows: [error] };
  }
}
