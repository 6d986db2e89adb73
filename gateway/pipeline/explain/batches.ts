/** Sends the inputs of an explanation in batches that are small enough for predictions to pass between them. */
import type { Target } from '../../domain/explanation.ts';
import type { RequestContext } from '../../domain/request.ts';
import type { Tensor } from '../../domain/tensor.ts';
import type { Meter } from '../../explain/budget.ts';
import { expectedTensors } from '../../model/expected-answer.ts';
import { signatureOf } from '../../model/find-signature.ts';
import type { Routed } from '../../model/route.ts';
import { requireAnswer } from '../require-answer.ts';
import { callServer } from '../retry-while-full.ts';
import type { TensorStages } from '../stages.ts';

/** How long a batch may take while no predictions come, where it can be kept so short. */
const QUIET_BATCH_MS = 50;

/** The least that a batch may take while predictions come. Otherwise it takes as long as one of them. */
const LEAST_BATCH_MS = 2;

/** What the explanation of one instance needs of the request. */
export type Explained = {
  readonly stages: Pick<TensorStages, 'admission' | 'backend'>;
  readonly routed: Routed;
  readonly target: Target;
  readonly meter: Meter;
  readonly context: RequestContext;
};

/** Runs the call of a batch once no prediction waits for the model. `images`: what admission counts. */
export type Admit = <T>(images: number, call: () => Promise<T>) => Promise<T>;

/** Sends one batch from input `start` on, with its call under `admit`. Resolves to its scores. */
export type SendBatch = (start: number, count: number, admit: Admit) => Promise<Float64Array>;

/**
 * Sends inputs in batches of `most` or fewer, whose calls take as long as that of a prediction, or QUIET_BATCH_MS while no predictions
 * come, by the time of those before.
 */
export function createBatches(
  { meter, stages: { admission }, context }: Pick<Explained, 'meter' | 'stages' | 'context'>,
  most: number,
): (count: number, send: SendBatch) => Promise<Float64Array> {
  let size = 1;
  let callMs = 0;
  const admit: Admit = (images, call) =>
    admission.admitSpare(context, images, async () => {
      const startedMs = performance.now();
      const answer = await call();
      callMs = performance.now() - startedMs;
      return answer;
    });
  return async (count, send) => {
    const scores = new Float64Array(count);
    for (let start = 0; start < count; ) {
      const rows = Math.min(size, most, count - start);
      const startedMs = performance.now();
      const { entered } = admission;
      scores.set(await send(start, rows, admit), start);
      meter.add(rows, performance.now() - startedMs);
      start += rows;
      const isQuiet = admission.entered === entered;
      const batchMs = isQuiet
        ? QUIET_BATCH_MS
        : Math.min(QUIET_BATCH_MS, Math.max(LEAST_BATCH_MS, admission.serviceMs));
      // Grows at most fourfold: the first batches of a version may be fast by chance.
      size = Math.max(1, Math.min(most, 4 * rows, Math.floor((rows * batchMs) / Math.max(callMs, 0.1))));
    }
    return scores;
  };
}

/** Asks by any signature with tensors. The memory of the answer is counted until it is here: a request has hundreds of them. */
export async function askTensors(
  { stages, routed, context }: Pick<Explained, 'stages' | 'routed' | 'context'>,
  { signature: name, inputs, rows, outputs }: AskedTensors,
): Promise<ReadonlyMap<string, Tensor>> {
  const { card, version, servers } = routed;
  const answer = expectedTensors(signatureOf(routed.metadata, name), outputs);
  const target = { servable: { model: card.name, version }, only: servers, signature: name, answer };
  const ends: (() => void)[] = [];
  const ownContext = { ...context, times: context.times, onEnd: (end: () => void) => void ends.push(end) };
  try {
    const prediction = await callServer(stages.admission, ownContext, (timed) =>
      stages.backend.predict(target, inputs, rows, timed),
    );
    requireAnswer(prediction, version, answer.outputs);
    return prediction.outputs;
  } finally {
    for (const end of ends) end();
  }
}

export type AskedTensors = {
  readonly signature: string;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly rows: number;
  readonly outputs?: readonly string[] | undefined;
};

/** Asks by any signature, after predictions, and counts the rows as calls. */
export async function askCounted(explained: Explained, asked: AskedTensors) {
  const startedMs = performance.now();
  const { stages, context } = explained;
  const outputs = await stages.admission.admitSpare(context, 1, () => askTensors(explained, asked));
  explained.meter.add(asked.rows, performance.now() - startedMs);
  return outputs;
}
