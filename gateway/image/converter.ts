/** Converts pictures to rows of a model's input by its spec: JPEGs straight from their bytes, others from resized pixels. */
import type { ImageSpec, Resized } from '../domain/picture.ts';
import type { InputArray } from '../domain/tensor.ts';
import { decodeJpeg, type JpegFrame, type JpegResult } from './jpeg/decode.ts';
import { createNormaliser, createWriters } from './normalise.ts';
import { createRowResize } from './resample.ts';

export type Converter = {
  /**
   * Decodes, resizes and scales a JPEG into `row`, which is good only if the result is `ok`. Only some rows of pixels are
   * in memory at a time. A frame that is not `wanted` is declined.
   * @throws GatewayError image_too_large when its shape needs too much memory to resize.
   */
  jpeg(bytes: Uint8Array, row: InputArray, wanted?: (frame: JpegFrame) => boolean): JpegResult;
  /** Scales resized pixels into `row`. */
  pixels(pixels: Resized, row: InputArray): void;
};

/** Makes a converter with its own tables. @throws RangeError when the spec contradicts itself. */
export function createConverter(spec: ImageSpec): Converter {
  const resize = createRowResize(spec);
  const writers = createWriters(spec);
  const channels = spec.color === 'rgb' ? 3 : 1;
  return {
    jpeg(bytes, row, wanted = () => true) {
      const writer = writers(row);
      let take: ReturnType<typeof resize>['take'] | undefined;
      let length = 0;
      const result = decodeJpeg(bytes, {
        select(frame) {
          if (!wanted(frame)) return undefined;
          const { width, height } = frame;
          const { columns, rows, ...resizing } = resize({ width, height, channels, isDeep: false }, writer.write);
          take = resizing.take;
          length = columns.length * channels;
          return { columns, rows, channels };
        },
        take: (samples, _first, count) => take?.(samples, length, count),
      });
      if (result === 'ok') writer.end();
      return result;
    },
    pixels: createNormaliser(spec),
  };
}

export type ConverterOf = (spec: ImageSpec) => Converter;

/** Makes each model's converter once. */
export function createConverters(): ConverterOf {
  const converters = new WeakMap<ImageSpec, Converter>();
  return (spec) => {
    const converter = converters.get(spec) ?? createConverter(spec);
    converters.set(spec, converter);
    return converter;
  };
}
