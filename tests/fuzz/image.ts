/** Fuzzes the readers of image headers. Reference: the size that libvips reads. */
import assert from 'node:assert/strict';
import sharp from 'sharp';
import type { ImageFormat } from '../../gateway/domain/picture.ts';
import { checkHeader } from '../../gateway/image/header-check.ts';
import { sniff } from '../../gateway/image/sniff.ts';
import type { Parser } from './fuzz.ts';
import { goldenImages } from './golden-images.ts';
import { refusalOf } from './refusal.ts';

const formats: readonly ImageFormat[] = ['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff'];
const maxPixels = 50e6;
const maxBytes = 10e6;

export const image: Parser = {
  name: 'image',
  seeds: () => goldenImages(200),
  words: [
    ...[
      '\xff\xd8\xff',
      '\xff\xc0',
      '\xff\xda',
      '\xff\xff',
      'IHDR',
      'IDAT',
      'acTL',
      'RIFF',
      'WEBP',
      'VP8 ',
      'VP8L',
      'VP8X',
      'GIF89a',
    ],
    ...[
      '\x21\xf9\x04',
      '\x2c',
      'II*\0',
      'MM\0*',
      'ftypavif',
      'meta',
      'iprp',
      'ipco',
      'ispe',
      'iloc',
      'moov',
      'trak',
      'av01',
      'colrnclx',
      '<svg',
      '%PDF-',
      'BM',
    ],
  ],
  async check(input) {
    const sniffed = sniff(input);
    const kinds = ['image_unreadable', 'image_unsupported', 'image_too_large'] as const;
    const header = refusalOf(() => checkHeader(input, { field: 'b64', formats, maxPixels, maxBytes }), kinds);
    if (!header) return;
    assert.ok(sniffed && 'header' in sniffed && sniffed.header);
    const { width, height } = header;
    assert.ok(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0);
    assert.ok(width * height <= maxPixels);
    const expected = await sharp(input, { limitInputPixels: false })
      .metadata()
      .catch(() => undefined);
    if (!expected) return;
    assert.ok(
      expected.width * expected.height <= width * height,
      `libvips reads ${expected.width} x ${expected.height}, the header check ${width} x ${height}`,
    );
  },
};
