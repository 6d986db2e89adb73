/** The second half of the line: the filled tensor to the model, and a row of the answer to each of its instances. */

import type { Backend, PredictCall, PredictTarget } from '../domain/backend.ts';
import type { RequestContext } from '../domain/request.ts';
import { asGatewayError, type GatewayError } from '../errors.ts';
import { type ScoreOptions, hasRows, nameScores, type Scores } from '../scores/scores.ts';

export type Question = {
  readonly target: PredictTarget;
  /** Holds `count` instances. */
  readonly call: PredictCall;
  readonly count: number;
  /** The output that holds the scores, and how they are named. */
  readonly output: string;
  readonly options: ScoreOptions;
};

export type Answer = {
  readonly version: number | undefined;
  /** One for each instance, in the tensor's order: its scores, or why it has none. */
  readonly rows: readonly (Scores | GatewayError)[];
};

/**
 * Asks for all instances with one Predict; for each by itself where the model takes no more. A model that answers with
 * another number of rows is asked for each instance by itself too, once, because nobody can tell which row is whose. Throws
 * `model_failed` where the answer cannot be used.
 */
export async function ask(backend: Backend, question: Question, context: RequestContext): Promise<Answer> {
  const { target, call, count, output, options } = question;
  if (count > 1 && target.input.isSingle) return askSingly(backend, question, context);
  const { version, outputs } = await call.send(count, context);
  const scores = outputs.get(output);
  if (count === 1 || hasRows(scores, count)) return { version, rows: nameScores(scores, count, options) };
  context.log.warn({ count, shape: scores?.shape }, 'the model answered with another number of rows; asking singly');
  return askSingly(backend, question, context);
}

/** A Predict for each row. Throws what the first failed with where all did. */
async function askSingly(backend: Backend, question: Question, context: RequestContext): Promise<Answer> {
  const answers: Answer[] = [];
  for (let row = 0; row < question.count; row += 1) answers.push(await askOne(backend, question, row, context));
  const rows = answers.flatMap((answer) => answer.rows);
  const [first] = rows;
  if (rows.every((one) => one instanceof Error)) throw first;
  return { version: answers.find(({ version }) => version !== undefined)?.version, rows };
}

/** One row by itself: its scores, or what it failed with. Throws where the request as a whole is over. */
async function askOne(
  backend: Backend,
  { target, call, output, options }: Question,
  row: number,
  context: RequestContext,
): Promise<Answer> {
  const length = target.input.shape.reduce((product, size) => product * size, 1);
  const tensor = call.tensor.subarray(row * length, (row + 1) * length);
  try {
    const single = backend.prepare(target, 1);
    single.tensor.set(tensor);
    const { version, outputs } = await single.send(1, context);
    single.release();
    return { version, rows: nameScores(outputs.get(output), 1, options) };
  } catch (thrown) {
    const error = asGatewayError(thrown);
    if (error.kind !== 'model_failed') throw error;
    return { version: undefined, rows: [error] };
  }
}
