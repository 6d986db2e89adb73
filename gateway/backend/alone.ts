/** One row of a batch, asked for by itself: what is left to do when nobody can tell which row spoilt the batch. */
import type { Backend, PredictCall, Prediction, PredictTarget, RequestContext } from '../pipeline/request.ts';

/** Sends a copy of the row as a Predict of one instance. Fails as every Predict does. */
export async function sendAlone(
  backend: Pick<Backend, 'prepare'>,
  target: PredictTarget,
  row: PredictCall['tensor'],
  context: RequestContext,
): Promise<Prediction> {
  const call = backend.prepare(target, 1);
  call.tensor.set(row);
  const prediction = await call.send(1, context);
  call.release();
  return prediction;
}
