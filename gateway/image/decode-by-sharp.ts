/** Decodes an image file by sharp to the pixels that the training library would give. */
import sharp, { type Sharp } from 'sharp';
import type { ImageSpec, Pixels } from '../domain/picture.ts';
import { withAllRows } from './first-picture/png-rows.ts';
import { firstPicture } from './first-picture.ts';
import { free } from './free.ts';
import type { Samples } from './header/header.ts';
import { checkHeader, damaged, type HeaderCheckOptions, type ReadableHeader, unusualVariant } from './header-check.ts';
import * as samples from './samples.ts';
import { ycbcrToRgb } from './ycbcr.ts';

export type DecodeOptions = HeaderCheckOptions & Pick<ImageSpec, 'color' | 'engine'>;

type Raw = { readonly data: Uint8Array; readonly width: number; readonly height: number };

/**
 * Decodes the first frame to 8-bit RGB or gray (16-bit gray where Keras keeps 16 bits). Like Pillow's `convert` it
 * ignores orientation and colour profiles and drops alpha; docs/preprocessing.md has the rules. The declared size is
 * checked against `maxPixels` before decoding.
 *
 * libvips cannot be stopped from outside, and a bug in a codec can end the process. So the gateway calls this in
 * separate processes (decoder/).
 * @throws GatewayError image_unreadable, image_unsupported, image_too_large.
 */
export async function decodeBySharp(bytes: Uint8Array, options: DecodeOptions): Promise<Pixels> {
  const header = checkHeader(bytes, options);
  const raw = await read(bytes, header, options);
  const pixels = toPixels(raw, header, options);
  if (pixels.data.buffer !== raw.data.buffer) free(raw.data);
  return pixels;
}

type Reading = { readonly channels: number; readonly convert: (file: Sharp) => Sharp };

/** The conversion that sharp does for each kind of samples, and the number of channels that it must give. */
const READINGS: Readonly<Record<Samples['kind'], Reading>> = {
  plain: { channels: 3, convert: (file) => file.toColourspace('srgb').removeAlpha().raw() },
  gray16: { channels: 1, convert: (file) => file.toColourspace('grey16').removeAlpha().raw({ depth: 'ushort' }) },
  cmyk: { channels: 4, convert: (file) => file.pipelineColourspace('cmyk').toColourspace('cmyk').raw() },
  premultiplied: { channels: 4, convert: (file) => file.toColourspace('srgb').ensureAlpha().raw() },
  framed: { channels: 4, convert: (file) => file.toColourspace('srgb').ensureAlpha().raw() },
  ycbcr: { channels: 3, convert: (file) => file.toColourspace('srgb').removeAlpha().raw() },
};

async function read(bytes: Uint8Array, header: ReadableHeader, { field, maxPixels }: DecodeOptions): Promise<Raw> {
  const { data, info } = await readFirst(bytes, header, maxPixels).catch((cause: unknown) => {
    throw damaged(field, cause);
  });
  if (info.channels !== READINGS[header.samples.kind].channels) throw unusualVariant(field);
  return {
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    width: info.width,
    height: info.height,
  };
}

/** The samples of the first picture. Throws for damaged files. */
async function readFirst(bytes: Uint8Array, header: ReadableHeader, maxPixels: number) {
  const file = firstPicture(bytes, header.format);
  try {
    return await readWhole(file, header, maxPixels);
  } catch (error) {
    const repaired = header.format === 'png' ? withAllRows(file) : undefined;
    if (repaired) return readWhole(repaired, header, maxPixels);
    throw error;
  }
}

function readWhole(encoded: Uint8Array, { format, samples: { kind }, turned }: ReadableHeader, maxPixels: number) {
  // Only 'error' tells that a TIFF is cut off: its missing strips are black otherwise. Corrupt pixels of the other formats
  // are no error.
  const failOn = format === 'tiff' ? 'error' : 'truncated';
  const file = sharp(encoded, { ignoreIcc: true, failOn, limitInputPixels: maxPixels });
  const converted = READINGS[kind].convert(turned ? file.autoOrient() : file);
  return converted.toBuffer({ resolveWithObject: true });
}

/** Converts what sharp gave to the channels of the model's `color`. */
function toPixels(raw: Raw, header: ReadableHeader, { color, engine }: DecodeOptions): Pixels {
  const { width, height } = header.samples.kind === 'framed' ? header : raw;
  if (header.samples.kind === 'gray16' && color === 'grayscale' && engine === 'pillow' && !header.samples.clipped) {
    return { width, height, channels: 1, data: uint16(raw.data) };
  }
  const rgb = toRgb(raw, header, engine);
  return color === 'rgb'
    ? { width, height, channels: 3, data: rgb }
    : { width, height, channels: 1, data: samples.rgbToGray(rgb) };
}

/** TensorFlow's colour for the pixels of a GIF that its first frame leaves open. */
const BLACK = [0, 0, 0] as const;

function toRgb({ data, width: stride, height }: Raw, header: ReadableHeader, engine: ImageSpec['engine']): Uint8Array {
  const pillow = engine === 'pillow';
  const stored = header.samples;
  switch (stored.kind) {
    case 'plain':
      return data;
    case 'gray16':
      return samples.grayToRgb(pillow ? samples.clipGray(uint16(data)) : samples.stripGray(uint16(data)));
    case 'cmyk':
      return pillow ? samples.cmykToRgb(data) : samples.cmykToRgbTensorFlow(data, stored.adobe);
    case 'premultiplied':
      return samples.unpremultiply(data);
    case 'framed':
      return samples.frameOnCanvas(data, stride, { ...header, ...stored, fill: pillow ? stored.fill : BLACK });
    case 'ycbcr':
      return ycbcrToRgb(data, stride, height, stored);
  }
}

function uint16(data: Uint8Array): Uint16Array {
  return new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
}
