/** Sends the inputs of an explanation in batches that are small enough for predictions to pass between them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admission } from '../../admission/admission.ts';
import type { Target } from '../../domain/explanation.ts';
import type { RequestContext } from '../../domain/request.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { abortError } from '../../errors.ts';
import type { Meter } from '../../explain/budget.ts';
import { expectedTensors } from '../../model/expected-answer.ts';
import { signatureOf } from '../../model/find-signature.ts';
import type { Routed } from '../../model/route.ts';
import { requireAnswer } from '../require-answer.ts';
import { callServer } from '../retry-while-full.ts';
import type { TensorStages } from '../stages.ts';

/** How long a batch may take, where it can be kept so short: a prediction that comes meanwhile waits for no longer. */
const BATCH_MS = 50;

/** How much longer than a batch the pause after it is, if a prediction came meanwhile: it has met a busy model. */
const PAUSE = 4;

/** What the explanation of one instance needs of the request. */
export type Explained = {
  readonly stages: Pick<TensorStages, 'admission' | 'backend'>;
  readonly routed: Routed;
  readonly target: Target;
  readonly meter: Meter;
  readonly context: RequestContext;
};

/** Sends one batch from input `start` on. Resolves to its scores. */
export type SendBatch = (start: number, count: number) => Promise<Float64Array>;

/**
 * Sends inputs in batches of `most` or fewer, which are as large as BATCH_MS allows by those before. Rests after each batch during
 * which a prediction came, so that few predictions meet one.
 */
export function createBatches(
  { meter, stages: { admission }, context: { signal } }: Pick<Explained, 'meter' | 'stages' | 'context'>,
  most: number,
): (count: number, send: SendBatch) => Promise<Float64Array> {
  let size = 1;
  return async (count, send) => {
    const scores = new Float64Array(count);
    for (let start = 0; start < count; ) {
      const rows = Math.min(size, most, count - start);
      const startedMs = performance.now();
      const { entered } = admission;
      scores.set(await send(start, rows), start);
      const ms = performance.now() - startedMs;
      if (admission.entered > entered) await rest(PAUSE * ms, signal);
      meter.add(rows, performance.now() - startedMs);
      start += rows;
      // Grows at most fourfold: the first batches of a version may be fast by chance.
      size = Math.max(1, Math.min(most, 4 * rows, Math.floor((rows * BATCH_MS) / Math.max(ms, 0.1))));
    }
    return scores;
  };
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => Promise.reject(abortError(signal)));
}

/** Runs `work` once no prediction waits for the model. `images`: what admission counts. */
export function admitted<T>(
  { admission }: { readonly admission: Admission },
  images: number,
  context: RequestContext,
  work: () => Promise<T>,
): Promise<T> {
  return admission.admitSpare(context, images, work);
}

/** Asks by any signature with tensors. */
export async function askTensors(
  { stages, routed, context }: Pick<Explained, 'stages' | 'routed' | 'context'>,
  { signature: name, inputs, rows, outputs }: AskedTensors,
): Promise<ReadonlyMap<string, Tensor>> {
  const { card, version, servers } = routed;
  const answer = expectedTensors(signatureOf(routed.metadata, name), outputs);
  const target = { servable: { model: card.name, version }, only: servers, signature: name, answer };
  const prediction = await callServer(stages.admission, context, (timed) =>
    stages.backend.predict(target, inputs, rows, timed),
  );
  requireAnswer(prediction, version, answer.outputs);
  return prediction.outputs;
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
  const outputs = await admitted(explained.stages, 1, explained.context, () => askTensors(explained, asked));
  explained.meter.add(asked.rows, performance.now() - startedMs);
  return outputs;
}
