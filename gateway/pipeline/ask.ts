/** The third stage: the filled tensor sent to the model, and the outputs of each of its rows. */

import type { PredictCall, Prediction, PredictTarget } from '../domain/backend.ts';
import type { RequestContext } from '../domain/request.ts';
import type { Tensor } from '../domain/tensor.ts';
import { asGatewayError, GatewayError } from '../errors.ts';
import { splitRows } from '../tensor/row-slices.ts';
import { requireAnswer } from './require-answer.ts';

/** A tensor to predict. `target.answer` names the outputs that are wanted. */
export type Batch = {
  readonly target: PredictTarget;
  readonly call: PredictCall;
  /** Rows that are filled. */
  readonly count: number;
};

/** The wanted outputs of one row, without the batch axis. */
export type RowOutputs = ReadonlyMap<string, Tensor>;

export type AnsweredBatch = {
  /** The version that answered, where the server tells it. */
  readonly version: number | undefined;
  /** The outputs of each row, or its error. */
  readonly rows: readonly (RowOutputs | GatewayError)[];
};

/**
 * Predicts all rows with one call. Each row is predicted by a separate call, once, where the model's batch axis is 1, where
 * the answer has another number of rows (rows and instances cannot be matched), and where a model that decodes images
 * itself cannot decode one of them. Throws the first row's error where no row has outputs.
 */
export async function ask(batch: Batch, context: RequestContext): Promise<AnsweredBatch> {
  const { target, call, count } = batch;
  if (count > 1 && target.input.isSingle) return askSingly(batch, context);
  const prediction = await send(batch, call, count, context).catch((thrown: unknown) => {
    // The model decodes the images itself and could not decode one of them.
    if (count > 1 && asGatewayError(thrown).kind === 'image_unreadable') return undefined;
    throw thrown;
  });
  if (!prediction) return askSingly(batch, context);
  const rows = rowsOf(prediction.outputs, count);
  if (rows) return { version: prediction.version, rows };
  if (count === 1) throw unexpectedShape(prediction, count);
  context.log.warn(
    { count, shapes: shapesOf(prediction) },
    'the model answered with another number of rows; asking for each row by itself',
  );
  return askSingly(batch, context);
}

/** Sends a call. Throws an error that is outdated where another version has answered, or without a wanted output. */
async function send({ target }: Batch, call: PredictCall, count: number, context: RequestContext): Promise<Prediction> {
  const prediction = await call.send(count, context);
  requireAnswer(prediction, target.servable.version, target.answer.outputs);
  return prediction;
}

/** The outputs of each row. Undefined where an output has another number of rows. */
function rowsOf(outputs: Prediction['outputs'], count: number): RowOutputs[] | undefined {
  const rows = Array.from({ length: count }, () => new Map<string, Tensor>());
  for (const [name, tensor] of outputs) {
    const split = splitRows(tensor, count);
    if (!split) return undefined;
    for (const [index, row] of split.entries()) rows[index]?.set(name, row);
  }
  return rows;
}

function unexpectedShape(prediction: Prediction, count: number): GatewayError {
  return new GatewayError('model_failed', 'The model answered with outputs of an unexpected shape.', {
    cause: new Error(`expected ${count} rows, got ${shapesOf(prediction)}`),
  });
}

function shapesOf({ outputs }: Prediction): string {
  return [...outputs].map(([name, { shape }]) => `${name} [${shape}]`).join(', ');
}

/** Predicts each row by a separate call. Throws the first error where all rows failed. */
async function askSingly(batch: Batch, context: RequestContext): Promise<AnsweredBatch> {
  const answers: AnsweredBatch[] = [];
  for (let row = 0; row < batch.count; row += 1) answers.push(await askOne(batch, row, context));
  const rows = answers.flatMap((answer) => answer.rows);
  const [first] = rows;
  if (rows.every((row) => row instanceof GatewayError)) throw first;
  return { version: answers.find(({ version }) => version !== undefined)?.version, rows };
}

/** Predicts one row. A failure of the model is the row's error; any other failure is thrown. */
async function askOne(batch: Batch, row: number, context: RequestContext): Promise<AnsweredBatch> {
  try {
    const single = batch.call.single(row);
    const prediction = await send(batch, single, 1, context);
    single.release();
    const rows = rowsOf(prediction.outputs, 1);
    if (!rows) throw unexpectedShape(prediction, 1);
    return { version: prediction.version, rows };
  } catch (thrown) {
    const error = asGatewayError(thrown);
    const isOfRow = error.kind === 'model_failed' || error.kind === 'image_unreadable';
    if (error.isOutdated || !isOfRow) throw error;
    return { version: undefined, rows: [error] };
  }
}
