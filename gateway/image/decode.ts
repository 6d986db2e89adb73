/** Turns an image file's bytes into the pixels that the training library would have seen. */
import sharp, { type Sharp } from 'sharp';
import { GatewayError } from '../errors.ts';
import type { ImageFormat, ImageSpec, Pixels, RequestContext } from '../pipeline/request.ts';
import type { ImageHeader, Samples } from './header/header.ts';
import * as samples from './samples.ts';
import { sniff } from './sniff.ts';

export type DecodeOptions = Pick<ImageSpec, 'color' | 'engine'> & {
  /** Where the image stood in the request, for error texts. */
  readonly field: string;
  /** The formats offered; anything else is refused by its name. */
  readonly formats: readonly ImageFormat[];
  readonly maxPixels: number;
};

/** The longest that sharp takes. */
const MAX_TIMEOUT_S = 3600;
/** What TensorFlow makes of a GIF's transparent places. */
const BLACK = [0, 0, 0] as const;

type Deadline = Pick<RequestContext, 'signal' | 'deadlineMs'>;
type ReadableHeader = ImageHeader & { readonly samples: Samples };
type Raw = { readonly data: Buffer; readonly width: number; readonly height: number };

/**
 * Decodes the first frame to 8-bit RGB or gray (16-bit gray where Keras keeps it so). Orientation and colour profiles
 * are not applied and alpha is dropped, as Pillow's `convert` does; docs/preprocessing.md has the rules. The declared
 * size is held against `maxPixels` before anything is decoded.
 *
 * libvips cannot be stopped from outside: after an abort the promise stays pending until its thread is free. Its own
 * timeout is set to end before the request does.
 * @throws GatewayError image_unreadable, image_unsupported, image_too_large; the signal's reason once it is aborted.
 */
export async function decode(bytes: Uint8Array, options: DecodeOptions, deadline: Deadline): Promise<Pixels> {
  deadline.signal.throwIfAborted();
  const header = admit(bytes, options);
  const raw = await read(bytes, { header, options, deadline });
  deadline.signal.throwIfAborted();
  return toPixels(raw, header, options);
}

/** Lets pass only what is offered, whole in its header and small enough. */
function admit(bytes: Uint8Array, { field, formats, maxPixels }: DecodeOptions): ReadableHeader {
  const offered = formats.map((format) => format.toUpperCase()).join(', ');
  const sniffed = sniff(bytes);
  if (!sniffed) throw new GatewayError('image_unreadable', `${field} is not an image; send ${offered}.`);
  const name = sniffed.format.toUpperCase();
  if (!('header' in sniffed && formats.includes(sniffed.format))) {
    throw new GatewayError('image_unsupported', `${field} is ${name}, which is not offered; send ${offered}.`);
  }
  const { header } = sniffed;
  if (!header) throw new GatewayError('image_unreadable', `${field} is ${name} with a damaged header; save it anew.`);
  const { width, height } = header;
  if (width * height > maxPixels) {
    const size = `${width} x ${height} pixels, more than ${maxPixels}`;
    throw new GatewayError('image_too_large', `${field} declares ${size}; scale it down.`);
  }
  if (!header.samples) throw unusual(field);
  return { ...header, samples: header.samples };
}

function unusual(field: string): GatewayError {
  return new GatewayError('image_unsupported', `${field} is a rare variant of its format; save it as 8-bit RGB.`);
}

/** How each kind of samples is asked of sharp, and how many channels have to come back. */
const READINGS: Readonly<Record<Samples['kind'], { readonly channels: number; readonly ask: (file: Sharp) => Sharp }>> =
  {
    plain: { channels: 3, ask: (file) => file.toColourspace('srgb').removeAlpha().raw() },
    gray16: { channels: 1, ask: (file) => file.toColourspace('grey16').removeAlpha().raw({ depth: 'ushort' }) },
    cmyk: { channels: 4, ask: (file) => file.pipelineColourspace('cmyk').toColourspace('cmyk').raw() },
    premultiplied: { channels: 4, ask: (file) => file.toColourspace('srgb').ensureAlpha().raw() },
    framed: { channels: 4, ask: (file) => file.toColourspace('srgb').ensureAlpha().raw() },
  };

async function read(
  bytes: Uint8Array,
  { header, options, deadline }: { header: ReadableHeader; options: DecodeOptions; deadline: Deadline },
): Promise<Raw> {
  const { channels, ask } = READINGS[header.samples.kind];
  const seconds = Math.floor((deadline.deadlineMs - performance.now()) / 1000);
  const file = sharp(bytes, { ignoreIcc: true, failOn: 'truncated', limitInputPixels: options.maxPixels });
  const timed = ask(header.turned ? file.autoOrient() : file).timeout({
    seconds: Math.min(Math.max(seconds, 1), MAX_TIMEOUT_S),
  });
  const { data, info } = await timed.toBuffer({ resolveWithObject: true }).catch((cause) => {
    deadline.signal.throwIfAborted();
    throw new GatewayError('image_unreadable', `${options.field} is damaged, cut off or too slow to decode.`, {
      cause,
    });
  });
  if (info.channels !== channels) throw unusual(options.field);
  return { data, width: info.width, height: info.height };
}

/** Brings what sharp gave to the channels that the model's `color` asks for. */
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

function toRgb({ data, width: stride }: Raw, header: ReadableHeader, engine: ImageSpec['engine']): Uint8Array {
  const pillow = engine === 'pillow';
  switch (header.samples.kind) {
    case 'plain':
      return data;
    case 'gray16':
      return samples.grayToRgb(pillow ? samples.clipGray(uint16(data)) : samples.stripGray(uint16(data)));
    case 'cmyk':
      return pillow ? samples.cmykToRgb(data) : samples.cmykToRgbTensorFlow(data, header.samples.adobe);
    case 'premultiplied':
      return samples.unpremultiply(data);
    case 'framed':
      return samples.frameOnCanvas(data, stride, { ...header, ...header.samples, ...(pillow ? {} : { fill: BLACK }) });
  }
}

function uint16(data: Buffer): Uint16Array {
  return new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
}
