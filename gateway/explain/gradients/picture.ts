/** The gradients of a picture: its baselines as tensors, and the attributions of its pixels. */
import { ELEMENTS, type NumericDType } from '../../domain/elements.ts';
import { createRandom } from '../../domain/random.ts';
import { inTurns, type Steps, VALUES_OF_STEP } from '../../domain/steps.ts';
import type { Tensor, TensorInfo } from '../../domain/tensor.ts';
import { fillOf } from '../baselines.ts';
import type { Budget, PictureSubject } from '../method.ts';
import type { ExplainOptions } from '../options.ts';
import type { Line } from './ask.ts';
import { type Integral, integrate } from './integral.ts';
import { explainedInputs } from './signature.ts';

export const GRADIENT_BASELINES = ['black', 'white', 'noise'] as const;
export type GradientBaseline = (typeof GRADIENT_BASELINES)[number];

/** The attributions of each pixel: the sum over its channels, and the largest of them. */
export type PixelAttributions = Omit<Integral, 'attributions'> & {
  readonly sums: Float64Array;
  readonly largest: Float64Array;
};

/** Integrates from each baseline to the picture, and takes the mean. */
export async function pixelAttributions(
  subject: PictureSubject,
  baselines: readonly GradientBaseline[],
  options: ExplainOptions,
  budget: Budget,
): Promise<PixelAttributions> {
  const [info] = explainedInputs(subject.signatures) ?? [];
  if (info === undefined) throw new TypeError('the version has no signature explain');
  const lines = await linesOf(subject, info, baselines, options);
  const { attributions, ...scores } = await integrate(subject, lines, options, budget);
  const values = attributions.get(info.name) ?? new Float64Array();
  return { ...scores, ...(await inTurns(overChannels(subject, values))) };
}

async function linesOf(
  subject: PictureSubject,
  { name, dtype }: TensorInfo,
  baselines: readonly GradientBaseline[],
  { seed = 0 }: ExplainOptions,
): Promise<readonly Line[]> {
  const tensor = (pixels: Float32Array) =>
    new Map([[name, floats(dtype as NumericDType, [1, ...subject.inputShape], subject.scaled(pixels))]]);
  const inputs = tensor(subject.pixels);
  const lines: Line[] = [];
  for (const baseline of baselines) {
    const pixels = await inTurns(baseline === 'noise' ? noise(subject, seed) : fillOf(subject, baseline));
    lines.push({ inputs, baselines: tensor(pixels) });
  }
  return lines;
}

/** A tensor of floats of the dtype. */
export function floats(dtype: NumericDType, shape: readonly number[], values: Float32Array): Tensor {
  const elements = dtype === 'DT_DOUBLE' || dtype === 'DT_HALF' ? new ELEMENTS[dtype](values) : values;
  return { dtype, shape, bytes: new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength) };
}

function* noise({ pixels }: PictureSubject, seed: number): Steps<Float32Array> {
  const random = createRandom(seed);
  const made = new Float32Array(pixels.length);
  for (let index = 0; index < made.length; index += 1) {
    made[index] = Math.floor(256 * random());
    if (index % VALUES_OF_STEP === VALUES_OF_STEP - 1) yield;
  }
  return made;
}

function* overChannels(
  { channels, height, width, inputShape }: PictureSubject,
  values: Float64Array,
): Steps<Pick<PixelAttributions, 'sums' | 'largest'>> {
  const pixels = height * width;
  const isPlanar = inputShape[0] === channels && inputShape[1] === height;
  const [ofPixel, ofChannel] = isPlanar ? [1, pixels] : [channels, 1];
  const sums = new Float64Array(pixels);
  const largest = new Float64Array(pixels).fill(Number.NEGATIVE_INFINITY);
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    for (let channel = 0; channel < channels; channel += 1) {
      const value = values[pixel * ofPixel + channel * ofChannel] as number;
      sums[pixel] = (sums[pixel] as number) + value;
      largest[pixel] = Math.max(largest[pixel] as number, value);
    }
    if (pixel % VALUES_OF_STEP === VALUES_OF_STEP - 1) yield;
  }
  return { sums, largest };
}
