/** A picture as the subject of an explanation: its pixels, and the scores of pictures that are made of them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SeenPicture } from '../../domain/explanation.ts';
import type { ImageSpec } from '../../domain/picture.ts';
import type { InputArray } from '../../domain/tensor.ts';
import type { PictureSubject } from '../../explain/method.ts';
import { expectedTensors } from '../../model/expected-answer.ts';
import { signatureOf } from '../../model/find-signature.ts';
import { bindingOf } from '../../model/route.ts';
import { ask } from '../ask.ts';
import { callServer } from '../retry-while-full.ts';
import type { Stages } from '../stages.ts';
import { type Admit, askCounted, createBatches, type Explained } from './batches.ts';
import { scoreOf } from './target.ts';

/** Pictures of one batch. */
const MOST_ROWS = 16;
/** Bytes of one batch. */
const MOST_BYTES = 32 * 2 ** 20;
/** Samples that are scaled in one turn: about a millisecond. */
const SAMPLES_OF_TURN = 3 * 2 ** 15;

export type ExplainedPicture = Explained & {
  readonly stages: Pick<Stages, 'admission' | 'backend' | 'writersOf'>;
  /** Of model.yaml. */
  readonly spec: ImageSpec;
  readonly pixels: Float32Array;
};

export function pictureSubject(explained: ExplainedPicture): PictureSubject {
  const { stages, routed, target, spec, pixels } = explained;
  const [height, width] = spec.size;
  const channels = spec.color === 'rgb' ? 3 : 1;
  const { image } = bindingOf(routed);
  const writers = stages.writersOf('encoded' in image ? spec : image);
  const most = Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_BYTES / (4 * pixels.length))));
  const inBatches = createBatches(explained, most);
  const scratch = new Float32Array(pixels.length);
  async function fill(row: InputArray): Promise<void> {
    const writer = writers(row);
    for (let start = 0; start < scratch.length; start += SAMPLES_OF_TURN) {
      await nextTurn();
      writer.write(scratch.subarray(start, start + SAMPLES_OF_TURN));
    }
    writer.end();
  }
  return {
    kind: 'picture',
    target,
    signatures: routed.metadata.signatures,
    height,
    width,
    channels,
    pixels,
    inputShape: spec.layout === 'NHWC' ? [height, width, channels] : [channels, height, width],
    scaled(given) {
      const out = new Float32Array(given.length);
      const writer = stages.writersOf(spec)(out);
      writer.write(given);
      writer.end();
      return out;
    },
    ask: (signature, inputs, rows, outputs) => askCounted(explained, { signature, inputs, rows, outputs }),
    scores: (count, write) =>
      inBatches(count, (start, rows, admit) =>
        scoresOfBatch({ ...explained, admit }, rows, async (index, row) => {
          await nextTurn();
          write(start + index, scratch);
          await fill(row);
        }),
      ),
  };
}

/** Fills a batch and asks the model for its scores. */
async function scoresOfBatch(
  { stages, routed, target, context, admit }: ExplainedPicture & { readonly admit: Admit },
  rows: number,
  fillRow: (index: number, row: InputArray) => Promise<void>,
): Promise<Float64Array> {
  const { card, version, signature, input, output, answer: scoresOnly } = bindingOf(routed);
  const answer =
    target.output === output ? scoresOnly : expectedTensors(signatureOf(routed.metadata, signature), [target.output]);
  const servable = { model: card.name, version };
  const asked = { servable, only: routed.servers, signature, input, answer };
  const call = stages.backend.prepare(asked, rows);
  const { tensor } = call;
  const rowLength = tensor.length / rows;
  for (let row = 0; row < rows; row += 1) await fillRow(row, tensor.subarray(row * rowLength, (row + 1) * rowLength));
  const answered = await admit(rows, () =>
    callServer(stages.admission, context, (timed) => ask({ target: asked, call, count: rows }, timed)),
  );
  call.release();
  return Float64Array.from(answered.rows, (row) => {
    if (row instanceof Error) throw row;
    return scoreOf(row, target);
  });
}

/** The picture as the model sees it, rounded to 8 bits. */
export function seenPicture(spec: ImageSpec, pixels: Float32Array): SeenPicture {
  const [height, width] = spec.size;
  return {
    height,
    width,
    channels: spec.color === 'rgb' ? 3 : 1,
    // A Uint8ClampedArray rounds, and keeps 0 to 255.
    data: new Uint8Array(new Uint8ClampedArray(pixels).buffer),
  };
}
