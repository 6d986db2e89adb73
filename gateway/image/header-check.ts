/** Decides by the header alone whether an image is decoded at all. */

import type { ImageFormat } from '../domain/picture.ts';
import { GatewayError } from '../errors.ts';
import type { ImageHeader, Samples } from './header/header.ts';
import { sniff } from './sniff.ts';

export type Admission = {
  /** Where the image stood in the request, for error texts. */
  readonly field: string;
  /** The formats offered; anything else is refused by its name. */
  readonly formats: readonly ImageFormat[];
  readonly maxPixels: number;
};

export type ReadableHeader = ImageHeader & {
  readonly samples: Samples;
  /** Its pixels, as often as its decoder needs the memory that others need for one. */
  readonly cost: number;
};

/** AVIF takes up to 25 bytes a pixel (10 bits), where the next, a progressive CMYK JPEG, takes 12. */
const TIMES_THE_MEMORY: Readonly<Partial<Record<ImageFormat, number>>> = { avif: 2 };

/**
 * Lets pass what is offered, whole in its header and small enough.
 * @throws GatewayError image_unreadable, image_unsupported, image_too_large.
 */
export function admit(bytes: Uint8Array, { field, formats, maxPixels }: Admission): ReadableHeader {
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
  const times = TIMES_THE_MEMORY[sniffed.format] ?? 1;
  const cost = width * height * times;
  if (cost > maxPixels) {
    const size = `${width} x ${height} pixels, more than ${maxPixels / times}${times > 1 ? ` of ${name}` : ''}`;
    throw new GatewayError('image_too_large', `${field} declares ${size}; scale it down.`);
  }
  if (!header.samples) throw unusualVariant(field);
  return { ...header, samples: header.samples, cost };
}

/** For files that their format allows but no decoder here reads as training did. */
export function unusualVariant(field: string): GatewayError {
  return new GatewayError('image_unsupported', `${field} is a rare variant of its format; save it as 8-bit RGB.`);
}
