/** Decodes an image file to the pixels that the training library would give: JPEG by jpeg/, all else by sharp. */
import type { Pixels } from '../domain/picture.ts';
import { type DecodeOptions, decodeBySharp } from './decode-by-sharp.ts';
import { checkHeader, cutOff, isOwnJpeg } from './header-check.ts';
import { decodeWholeJpeg } from './jpeg/whole.ts';

export type { DecodeOptions } from './decode-by-sharp.ts';

/**
 * Decodes as the gateway does, but in this process: for tests, and for a picture that the user of the command line chose.
 * @throws GatewayError image_unreadable, image_unsupported, image_too_large.
 */
export async function decode(bytes: Uint8Array, options: DecodeOptions): Promise<Pixels> {
  const header = checkHeader(bytes, options);
  if (!isOwnJpeg(header)) return decodeBySharp(bytes, options);
  const decoded = decodeWholeJpeg(bytes, options.color === 'rgb' ? 3 : 1, options.maxPixels);
  if (decoded === 'cut off') throw cutOff(options.field);
  return typeof decoded === 'string' ? decodeBySharp(bytes, options) : decoded;
}
