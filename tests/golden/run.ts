/** Decodes and preprocesses an image as the gateway does. An image is decoded once for all specs. */
import type { ImageFormat, ImageSpec, Pixels } from '../../gateway/domain/picture.ts';
import { type DecodeOptions, decode } from '../../gateway/image/decode.ts';
import { createNormaliser } from '../../gateway/image/normalise.ts';
import { createResampler } from '../../gateway/image/resample.ts';
import { sha256 } from './golden.ts';

/** Pillow's decompression bomb limit, under which golden.json was made. */
export const PILLOW_MAX_PIXELS = 178_956_970;

export type Decoder = (spec: Pick<ImageSpec, 'color' | 'engine'>) => Promise<Pixels>;

/** Decodes a file, once for each colour mode and engine. */
export function createDecoder(bytes: Uint8Array, formats: readonly ImageFormat[]): Decoder {
  const decoded = new Map<string, Promise<Pixels>>();
  return ({ color, engine }) => {
    const key = `${color} ${engine}`;
    const options: DecodeOptions = {
      field: 'file',
      color,
      engine,
      formats,
      maxPixels: PILLOW_MAX_PIXELS,
      maxBytes: 1e9,
    };
    const pixels = decoded.get(key) ?? decode(bytes, options);
    decoded.set(key, pixels);
    return pixels;
  };
}

/** Resizes as the decoder process does, then normalises as the gateway does. */
function createPreprocessor(spec: ImageSpec) {
  const resample = createResampler(spec);
  const normalise = createNormaliser(spec);
  return (pixels: Pixels, tensor: Float32Array) => normalise(resample(pixels), tensor);
}

/** Returns the SHA-256 of an image's tensor. Tables are kept between images, as in the service. */
export function createHasher(): (pixels: Pixels, spec: ImageSpec) => string {
  const preprocessors = new Map<string, ReturnType<typeof createPreprocessor>>();
  return (pixels, spec) => {
    const key = JSON.stringify(spec);
    const preprocess = preprocessors.get(key) ?? createPreprocessor(spec);
    preprocessors.set(key, preprocess);
    const tensor = new Float32Array(spec.size[0] * spec.size[1] * (spec.color === 'rgb' ? 3 : 1));
    preprocess(pixels, tensor);
    return sha256(tensor);
  };
}

/** Counts exact results by pipeline. */
export type Tally = { count(pipeline: string, exact: boolean, name: string): void; lines(): string[] };

export function createTally(): Tally {
  const rows = new Map<string, { exact: number; others: string[] }>();
  return {
    count(pipeline, exact, name) {
      const row = rows.get(pipeline) ?? { exact: 0, others: [] };
      rows.set(pipeline, row);
      if (exact) row.exact++;
      else row.others.push(name);
    },
    lines: () =>
      [...rows].map(([pipeline, { exact, others }]) => {
        const different = others.length > 0 ? `; not: ${others.join(', ')}` : '';
        return `${pipeline}: ${exact} exact of ${exact + others.length}${different}`;
      }),
  };
}
