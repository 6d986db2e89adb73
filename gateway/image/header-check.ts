/** Checks an image before it is decoded: its bytes, and by its header the format, the declared size, the samples. */

import type { ImageFormat } from '../domain/picture.ts';
import { GatewayError } from '../errors.ts';
import { type ImageHeader, type Samples, TooManyParts } from './header/header.ts';
import { sniff } from './sniff.ts';

export type HeaderCheckOptions = {
  /** Where the image is in the request, for error texts. */
  readonly field: string;
  /** The formats offered. Others are refused; the error names them. */
  readonly formats: readonly ImageFormat[];
  readonly maxPixels: number;
  /** MAX_IMAGE_BYTES. Held here against every picture: body, form, base64, download or parity folder. */
  readonly maxBytes: number;
};

export type ReadableHeader = ImageHeader & {
  readonly format: ImageFormat;
  readonly samples: Samples;
  /** Pixels, weighted by the memory that the format's decoder needs. Held against `maxPixels`. */
  readonly cost: number;
};

/** AVIF takes up to 25 bytes a pixel (10 bits). The next, a progressive CMYK JPEG, takes 12. */
const COST_PER_PIXEL: Readonly<Partial<Record<ImageFormat, number>>> = { avif: 2 };

/**
 * Returns the header of an image that is offered, undamaged in its header and small enough.
 * @throws GatewayError body_too_large, image_unreadable, image_unsupported, image_too_large.
 */
export function checkHeader(bytes: Uint8Array, options: HeaderCheckOptions): ReadableHeader {
  const { field, formats, maxPixels, maxBytes } = options;
  if (bytes.length > maxBytes) {
    throw new GatewayError('body_too_large', `${field} is larger than ${maxBytes} bytes (MAX_IMAGE_BYTES).`);
  }
  const offered = formats.map((format) => format.toUpperCase()).join(', ');
  const sniffed = sniff(bytes);
  if (!sniffed) throw new GatewayError('image_unreadable', `${field} is not an image; send ${offered}.`);
  const name = sniffed.format.toUpperCase();
  if (!('header' in sniffed && formats.includes(sniffed.format))) {
    throw new GatewayError('image_unsupported', `${field} is ${name}, which is not offered; send ${offered}.`);
  }
  const { header } = sniffed;
  if (!header)
    throw new GatewayError('image_unreadable', `${field} is ${name} with ${sniffed.mistake}; save it again.`);
  const { width, height } = header;
  const costPerPixel = COST_PER_PIXEL[sniffed.format] ?? 1;
  const cost = width * height * costPerPixel;
  if (cost > maxPixels) {
    const limit = `${maxPixels / costPerPixel}${costPerPixel > 1 ? ` of ${name}` : ''}`;
    const detail = `${field} declares ${width} x ${height} pixels, more than ${limit}; scale it down.`;
    throw new GatewayError('image_too_large', detail);
  }
  if (!header.samples) throw unusualVariant(field);
  return { ...header, format: sniffed.format, samples: header.samples, cost };
}

/** Whether jpeg/ decodes the picture, unless it finds damage or something rare behind the header. */
export function isOwnJpeg({ format, samples }: ReadableHeader): boolean {
  return format === 'jpeg' && samples.kind === 'plain';
}

/** The error for a file whose pixels cannot be read. `cause`: why, for the log. */
export function damaged(field: string, cause: unknown): GatewayError {
  const mistake = cause instanceof TooManyParts ? `has ${cause.message}` : 'is damaged or cut off';
  return new GatewayError('image_unreadable', `${field} ${mistake}; save it again.`, { cause });
}

/** The error for a JPEG that jpeg/ finds cut off. Pillow refuses it too. */
export function cutOff(field: string): GatewayError {
  return damaged(field, new Error('the JPEG ends before its last pixel'));
}

/** The error for a valid file that no decoder here reads as the training library does. */
export function unusualVariant(field: string): GatewayError {
  return new GatewayError('image_unsupported', `${field} is a rare variant of its format; save it as 8-bit RGB.`);
}
