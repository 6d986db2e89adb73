/**
 * Fuzzes the gateway's JPEG decoder. Reference: libjpeg-turbo in sharp, for the files that it reads without a complaint;
 * and the decoder itself, which must pick the same pixels as it gives of the whole picture.
 */
import assert from 'node:assert/strict';
import sharp from 'sharp';
import { decodeJpeg } from '../../gateway/image/jpeg/decode.ts';
import { decodeWholeJpeg } from '../../gateway/image/jpeg/whole.ts';
import type { Parser } from './fuzz.ts';
import { JPEG_WORDS, jpegSeeds } from './jpeg-seeds.ts';

/** Small, to spend the time on many files instead of large pictures. */
const MAX_PIXELS = 250_000;

export const jpeg: Parser = {
  name: 'jpeg',
  seeds: jpegSeeds,
  words: JPEG_WORDS,
  async check(input) {
    const whole = checkJpeg(input);
    if (typeof whole === 'string' && whole !== 'cut off') return;
    const reference = await sharp(input, { ignoreIcc: true, failOn: 'truncated' })
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true })
      .catch(() => undefined);
    if (!reference) return;
    if (whole === 'cut off') assert.fail('libvips reads a file that is cut off');
    assert.deepEqual([reference.info.width, reference.info.height], [whole.width, whole.height]);
    assert.ok(reference.data.equals(whole.data), 'other pixels than libvips');
  },
};

/** Decodes a file as a whole and in part. Returns the whole picture, or why there is none. */
export function checkJpeg(input: Uint8Array): ReturnType<typeof decodeWholeJpeg> {
  const whole = decodeWholeJpeg(input, 3, MAX_PIXELS);
  const columns = new Int32Array(9);
  const rows = new Int32Array(7);
  const picked: number[] = [];
  const result = decodeJpeg(input, {
    select({ width, height }) {
      if (width * height > MAX_PIXELS) return undefined;
      columns.forEach((_, i) => {
        columns[i] = Math.floor(((i + 0.5) * width) / columns.length);
      });
      rows.forEach((_, i) => {
        rows[i] = Math.floor(((i + 0.5) * height) / rows.length);
      });
      return { columns, rows, channels: 3 };
    },
    take: (samples) => picked.push(...samples),
  });
  assert.notEqual(result, 'trap');
  // A part may be sound where the whole is not: coefficients are checked where they are transformed.
  if (typeof whole === 'string') return whole;
  assert.equal(result, 'ok');
  const { width, data } = whole;
  const at = (row: number, column: number) => [0, 1, 2].map((channel) => data[3 * (row * width + column) + channel]);
  assert.deepEqual(
    picked,
    [...rows].flatMap((row) => [...columns].flatMap((column) => at(row, column))),
  );
  return whole;
}
