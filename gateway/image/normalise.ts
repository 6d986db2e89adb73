/** Turns samples into a model's numbers: scales them, orders their channels and writes them where the tensor lies. */
import type { ImageSpec, Scale } from '../pipeline/request.ts';
import type { Selection } from './resample.ts';

type PerChannel = readonly [red: number, green: number, blue: number];

/** What a scale does, in this order; float32 after every step. */
type Steps = {
  readonly divide: number;
  readonly multiply: number;
  readonly add: PerChannel;
  readonly deviation: PerChannel;
  /** Channels are written blue, green, red. */
  readonly reversed: boolean;
};

const f32 = Math.fround;
const AS_IS: Steps = { divide: 1, multiply: 1, add: [0, 0, 0], deviation: [1, 1, 1], reversed: false };
const MINUS_ONE: PerChannel = [-1, -1, -1];

/** tf, torch, caffe: Keras `preprocess_input` of that mode. mul255, mul127: Keras `Rescaling`, whose factor is a float32. */
export const SCALES: Readonly<Record<Scale, Steps>> = {
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

/** Scales one sample of a channel: 0 to 2 for red, green and blue. */
export function normaliseSample(sample: number, { divide, multiply, add, deviation }: Steps, channel: number): number {
  const scaled = f32(f32(sample / divide) * multiply);
  return f32(f32(scaled + (add[channel] as number)) / (deviation[channel] as number));
}

/** The 256 scaled values of a byte, for each channel. */
export function createTables(scale: Scale): [Float32Array, Float32Array, Float32Array] {
  const table = (channel: number) =>
    Float32Array.from({ length: 256 }, (_, byte) => normaliseSample(byte, SCALES[scale], channel));
  return [table(0), table(1), table(2)];
}

/** Where the samples of a pixel go: the first pixel's channels, then so many places on for each next pixel. */
type Placing = { readonly offsets: PerChannel; readonly pixelStride: number };

function placingOf({ size, scale, color, layout }: ImageSpec): Placing {
  const plane = layout === 'NCHW' ? size[0] * size[1] : 1;
  const offsets: PerChannel = SCALES[scale].reversed ? [2 * plane, plane, 0] : [0, plane, 2 * plane];
  return { offsets, pixelStride: layout === 'NHWC' && color === 'rgb' ? 3 : 1 };
}

/** Scales a selection into `out`: height x width x channels numbers in the spec's layout. */
export type Normaliser = (selection: Selection, out: Float32Array | Uint8Array) => void;

/** @throws RangeError for a scale of three channels where there is one. */
export function createNormaliser(spec: ImageSpec): Normaliser {
  if (spec.color === 'grayscale' && (spec.scale === 'torch' || spec.scale === 'caffe')) {
    throw new RangeError(`scale ${spec.scale} is for three channels; color grayscale has one`);
  }
  const tables = createTables(spec.scale);
  const placing = placingOf(spec);
  return ({ data, rows, columns }, out) => {
    if (!(data instanceof Uint8Array)) return scaleEach({ data, rows, columns }, out, spec, placing);
    if (spec.color === 'rgb') return lookUpRgb({ data, rows, columns }, out, tables, placing);
    return lookUpGray({ data, rows, columns }, out, tables[0]);
  };
}

type Bytes = Selection & { readonly data: Uint8Array };

function lookUpRgb(
  { data, rows, columns }: Bytes,
  out: Float32Array | Uint8Array,
  [reds, greens, blues]: readonly [Float32Array, Float32Array, Float32Array],
  { offsets: [red, green, blue], pixelStride }: Placing,
): void {
  let to = 0;
  for (let y = 0; y < rows.length; y++) {
    const row = rows[y] as number;
    for (let x = 0; x < columns.length; x++) {
      const from = row + (columns[x] as number);
      out[to + red] = reds[data[from] as number] as number;
      out[to + green] = greens[data[from + 1] as number] as number;
      out[to + blue] = blues[data[from + 2] as number] as number;
      to += pixelStride;
    }
  }
}

function lookUpGray({ data, rows, columns }: Bytes, out: Float32Array | Uint8Array, grays: Float32Array): void {
  let to = 0;
  for (const row of rows) {
    for (let x = 0; x < columns.length; x++) out[to++] = grays[data[row + (columns[x] as number)] as number] as number;
  }
}

/** 16-bit samples, and the values between bytes that tf.image.resize gives: too many for a table. */
function scaleEach(
  { data, rows, columns }: Selection,
  out: Float32Array | Uint8Array,
  { scale, color }: ImageSpec,
  { offsets, pixelStride }: Placing,
): void {
  const steps = SCALES[scale];
  for (let channel = 0; channel < (color === 'rgb' ? 3 : 1); channel++) {
    let to = offsets[channel] as number;
    for (const row of rows) {
      for (let x = 0; x < columns.length; x++) {
        out[to] = normaliseSample(data[row + (columns[x] as number) + channel] as number, steps, channel);
        to += pixelStride;
      }
    }
  }
}
