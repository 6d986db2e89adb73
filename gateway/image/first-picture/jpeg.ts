/** Refuses a JPEG of many segments. */
import { countParts } from '../header/header.ts';

const FILL = 0xff;
const END_OF_IMAGE = 0xd9;

/**
 * Returns the bytes themselves. Counts the segments of the whole file, between its scans too: libjpeg keeps each
 * application segment in memory, with 200 bytes for one of four.
 * @throws TooManyParts
 */
export function withFewSegments(bytes: Uint8Array): Uint8Array {
  const count = countParts();
  for (let at = bytes.indexOf(FILL, 2); at >= 0; at = bytes.indexOf(FILL, at + 1)) {
    const marker = bytes[at + 1] ?? END_OF_IMAGE;
    if (marker === END_OF_IMAGE) break;
    if (isBare(marker)) continue;
    count();
    at += 1 + (((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0));
  }
  return bytes;
}

/** What is no segment: a byte of data (0), fill, TEM, RST0-7, SOI. */
function isBare(marker: number): boolean {
  return marker < 2 || marker === FILL || (marker >= 0xd0 && marker <= 0xd8);
}
