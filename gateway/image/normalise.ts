/** Converts samples to a model's input: scales them, orders their channels and writes them into the tensor. */

import type { ImageSpec, NamedScale, OwnScale, Resized, Scale } from '../domain/picture.ts';
import type { InputArray } from '../domain/tensor.ts';
import { internalError } from '../errors.ts';
import { convert } from './convert.ts';

type PerChannel = readonly [red: number, green: number, blue: number];

/** The steps of a scale, in this order. Each step is rounded to float32. */
type Steps = {
  readonly divide: number;
  readonly multiply: number;
  readonly add: PerChannel;
  readonly deviation: PerChannel;
  /** Channels are written in the order blue, green, red. */
  readonly reversed: boolean;
};

const f32 = Math.fround;
const AS_IS: Steps = { divide: 1, multiply: 1, add: [0, 0, 0], deviation: [1, 1, 1], reversed: false };
const MINUS_ONE: PerChannel = [-1, -1, -1];

/**
 * tf, torch, caffe: Keras `preprocess_input` of that mode. mul255, mul127: Keras `Rescaling`, with a factor of float32.
 */
export const SCALES: Readonly<Record<NamedScale, Steps>> = {
  none: AS_IS,
  tf: { ...AS_IS, divide: 127.5, add: MINUS_ONE },
  mul127: { ...AS_IS, multiply: f32(1 / 127.5), add: MINUS_ONE },
  div255: { ...AS_IS, divide: 255 },
  mul255: { ...AS_IS, multiply: f32(1 / 255) },
  torch: {
    ...AS_IS,
    divide: 255,
    add: [f32(-0.485), f32(-0.456), f32(-0.406)],
    deviation: [f32(0.229), f32(0.224), f32(0.225)],
  },
  caffe: { ...AS_IS, add: [f32(-123.68), f32(-116.779), f32(-103.939)], reversed: true },
};

export function stepsOf(scale: Scale): Steps {
  return typeof scale === 'string' ? SCALES[scale] : ownSteps(scale);
}

/** As torchvision's ToTensor and Normalize: x / divide, then - float32(mean), then / float32(std). */
function ownSteps({ divide, mean, std }: OwnScale): Steps {
  return { ...AS_IS, divide, add: perChannel(mean, (value) => -f32(value)), deviation: perChannel(std, f32) };
}

function perChannel(values: readonly number[], make: (value: number) => number): PerChannel {
  const [red = 0, green = red, blue = red] = values.map(make);
  return [red, green, blue];
}

/** Whether the scale has other constants for each channel. */
function isPerChannel({ add, deviation, reversed }: Steps): boolean {
  return reversed || [add, deviation].some(([red, green, blue]) => red !== green || green !== blue);
}

/** Scales one sample. `channel`: 0 for red, 1 for green, 2 for blue. */
export function normaliseSample(sample: number, { divide, multiply, add, deviation }: Steps, channel: number): number {
  const scaled = f32(f32(sample / divide) * multiply);
  return f32(f32(scaled + (add[channel] as number)) / (deviation[channel] as number));
}

/** The 256 scaled values of a byte, for each channel. */
export function createTables(scale: Scale): [Float32Array, Float32Array, Float32Array] {
  const table = (channel: number) =>
    Float32Array.from({ length: 256 }, (_, byte) => normaliseSample(byte, stepsOf(scale), channel));
  return [table(0), table(1), table(2)];
}

const pairTables = new Map<string, Float64Array>();

/**
 * The two scaled values of each pair of bytes, stored as the 8 bytes of one float64: half as many steps. No entry is a
 * NaN, whose bits could change on a copy: the second value would have to be above 10^38.
 */
function pairsOf(scale: Scale, table: Float32Array): Float64Array {
  const key = JSON.stringify(scale);
  const known = pairTables.get(key);
  if (known) return known;
  const pairs = new Float64Array(2 ** 16);
  const halves = new Float32Array(pairs.buffer);
  for (let pair = 0; pair < pairs.length; pair++) {
    halves[2 * pair] = table[pair & 255] as number;
    halves[2 * pair + 1] = table[pair >> 8] as number;
  }
  pairTables.set(key, pairs);
  return pairs;
}

/** The index of each channel of the first pixel, and the step from one pixel to the next. */
type Placing = { readonly offsets: PerChannel; readonly pixelStride: number };

export function placingOf({ size, scale, color, layout }: ImageSpec): Placing {
  const plane = layout === 'NCHW' ? size[0] * size[1] : 1;
  const offsets: PerChannel = stepsOf(scale).reversed ? [2 * plane, plane, 0] : [0, plane, 2 * plane];
  return { offsets, pixelStride: layout === 'NHWC' && color === 'rgb' ? 3 : 1 };
}

/** Scales the samples of one picture, which come in parts of whole pixels. */
export type Writer = {
  write(samples: Samples): void;
  /** After the last part. @throws GatewayError internal for too few samples. */
  end(): void;
};

/**
 * Makes the writer of a picture into `out`: height x width x channels numbers in the spec's layout, without a batch axis.
 * `out` may be a slice of the request's bytes. It holds integers only for scale none.
 */
export type Normaliser = (out: InputArray) => Writer;

/** @throws RangeError for a scale of three channels with color grayscale. */
export function createWriters(spec: ImageSpec): Normaliser {
  const scale = createScaling(spec);
  // One picture at a time: the memory is used again.
  let floats: Float32Array | undefined;
  return (out) => {
    let written = 0;
    let target: Float32Array | Uint8Array | undefined;
    return {
      write(samples) {
        if (written + samples.length > out.length) throw wrongSize(written + samples.length, out);
        if (!target) {
          floats = isDirect(samples, out) ? floats : (floats ?? new Float32Array(out.length));
          target = isDirect(samples, out) ? out : floats;
        }
        scale(samples, target as Float32Array | Uint8Array, written);
        written += samples.length;
      },
      end() {
        if (written !== out.length) throw wrongSize(written, out);
        if (target && target !== out) convert(target as Float32Array, out);
      },
    };
  };
}

/** Floats, and bytes for an input of bytes: those are not scaled or rounded. */
function isDirect(samples: Samples, out: InputArray): out is Float32Array | Uint8Array {
  return out instanceof Float32Array || (samples instanceof Uint8Array && out instanceof Uint8Array);
}

function wrongSize(samples: number, { length }: InputArray): Error {
  return internalError(new RangeError(`a picture of ${samples} samples for ${length} numbers`));
}

/** Scales a whole picture of the model's size into `out`. @throws as `createWriters`. */
export function createNormaliser(spec: ImageSpec): (picture: Resized, out: InputArray) => void {
  const writers = createWriters(spec);
  return ({ data }, out) => {
    const writer = writers(out);
    writer.write(data);
    writer.end();
  };
}

type Samples = Resized['data'];

/** Scales samples into `out`. `first`: the place of the first of them among all samples. */
type Scaling = (samples: Samples, out: Float32Array | Uint8Array, first: number) => void;

function createScaling(spec: ImageSpec): Scaling {
  if (spec.color === 'grayscale' && (spec.scale === 'torch' || spec.scale === 'caffe')) {
    throw new RangeError(`scale ${spec.scale} is for three channels; color grayscale has one`);
  }
  const tables = createTables(spec.scale);
  const placing = placingOf(spec);
  const isSampleBySample = spec.color === 'grayscale' || (spec.layout === 'NHWC' && !isPerChannel(stepsOf(spec.scale)));
  const pairs = isSampleBySample ? pairsOf(spec.scale, tables[0]) : undefined;
  const channels = spec.color === 'rgb' ? 3 : 1;
  return (samples, out, first) => {
    if (pairs && samples instanceof Uint8Array) return lookUp(samples, out.subarray(first), tables[0], pairs);
    const start = (first / channels) * placing.pixelStride;
    if (samples instanceof Uint8Array) return lookUpRgb(samples, out, tables, { ...placing, start });
    scaleEach(samples, out, spec, { ...placing, start });
  };
}

function lookUpRgb(
  data: Uint8Array,
  out: Float32Array | Uint8Array,
  [reds, greens, blues]: readonly [Float32Array, Float32Array, Float32Array],
  { offsets: [red, green, blue], pixelStride, start }: Placing & { readonly start: number },
): void {
  let to = start;
  for (let from = 0; from < data.length; from += 3) {
    out[to + red] = reds[data[from] as number] as number;
    out[to + green] = greens[data[from + 1] as number] as number;
    out[to + blue] = blues[data[from + 2] as number] as number;
    to += pixelStride;
  }
}

/** Keeps the order of the samples. Two at a time, from the first place on where two floats are aligned. */
function lookUp(data: Uint8Array, out: Float32Array | Uint8Array, table: Float32Array, pairs: Float64Array): void {
  // Only scale none writes bytes.
  if (out instanceof Uint8Array) {
    out.set(data);
    return;
  }
  const first = out.byteOffset % 8 === 0 ? 0 : 1;
  const to = new Float64Array(out.buffer, out.byteOffset + 4 * first, (data.length - first) >> 1);
  lookUpPairs(data.subarray(first), to, pairs);
  if (first === 1) out[0] = table[data[0] as number] as number;
  const last = data.length - 1;
  if (first + 2 * to.length === last) out[last] = table[data[last] as number] as number;
}

function lookUpPairs(data: Uint8Array, to: Float64Array, pairs: Float64Array): void {
  if (data.byteOffset % 2 === 0) {
    const from = new Uint16Array(data.buffer, data.byteOffset, to.length);
    for (let pair = 0; pair < to.length; pair++) to[pair] = pairs[from[pair] as number] as number;
    return;
  }
  for (let pair = 0; pair < to.length; pair++) {
    const both = (data[2 * pair] as number) | ((data[2 * pair + 1] as number) << 8);
    to[pair] = pairs[both] as number;
  }
}

/** For 16-bit samples and the float32 samples of tf.image.resize: too many values for a table. */
function scaleEach(
  data: Uint16Array | Float32Array,
  out: Float32Array | Uint8Array,
  { scale, color }: ImageSpec,
  { offsets, pixelStride, start }: Placing & { readonly start: number },
): void {
  // The samples may come from another process: check them. Integers are always finite.
  if (data instanceof Float32Array && !data.every(Number.isFinite)) {
    throw internalError(new Error('resizing gave a number that is not finite'));
  }
  const steps = stepsOf(scale);
  const channels = color === 'rgb' ? 3 : 1;
  for (let channel = 0; channel < channels; channel++) {
    let to = start + (offsets[channel] as number);
    for (let from = channel; from < data.length; from += channels) {
      out[to] = normaliseSample(data[from] as number, steps, channel);
      to += pixelStride;
    }
  }
}
