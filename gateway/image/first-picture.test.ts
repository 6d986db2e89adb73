import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import sharp from 'sharp';
import type { ImageFormat } from '../domain/picture.ts';
import { firstPicture } from './first-picture.ts';
import { TooManyParts } from './header/header.ts';
import { checkHeader } from './header-check.ts';
import { pixelOf } from './pixel.ts';

const read = (name: string) => readFileSync(new URL(`../../tests/golden/images/${name}`, import.meta.url));
const MANY = 16_500;

/** `bytes` with `count` times `part` at an offset. */
function withParts(bytes: Uint8Array, at: number, part: string, count = MANY): Uint8Array {
  const parts = Buffer.alloc(part.length * count, part, 'latin1');
  return Buffer.concat([bytes.subarray(0, at), parts, bytes.subarray(at)]);
}

const photo = read('jpg-420.jpg');
const progressive = read('jpg-progressive-420.jpg');
const png = pixelOf(['png']);
const webp = read('webp-animated.webp');

const FILES: readonly [name: string, ImageFormat, Uint8Array][] = [
  ['a WebP of 16,500 chunks before its frames', 'webp', withParts(webp, webp.indexOf('ANMF'), 'JUNK\0\0\0\0')],
  [
    'a JPEG of 16,500 segments after its frame header',
    'jpeg',
    withParts(photo, photo.indexOf('\xff\xda', 'latin1'), '\xff\xe1\0\x02'),
  ],
  [
    'a JPEG of 16,500 segments between its scans',
    'jpeg',
    withParts(progressive, progressive.lastIndexOf('\xff\xc4', undefined, 'latin1'), '\xff\xe1\0\x02'),
  ],
  ['a PNG of 16,500 chunks before its pixels', 'png', withParts(png, 33, '\0\0\0\0tEXt\0\0\0\0')],
  ['a PNG of 300,000 chunks of pixels', 'png', withParts(png, 33, '\0\0\0\0IDAT\0\0\0\0', 300_000)],
];

for (const [name, format, bytes] of FILES) {
  test(`A11: ${name} is refused before libvips reads it`, () => {
    assert.throws(() => firstPicture(bytes, format), TooManyParts);
  });
}

test('A11: an AVIF whose small extents name the whole file again and again is refused by its header', () => {
  const avif = Buffer.from(pixelOf(['avif']));
  const boxOf = (type: string) => {
    const start = avif.indexOf(type) - 4;
    return { start, end: start + avif.readUInt32BE(start) };
  };
  const [meta, location] = [boxOf('meta'), boxOf('iloc')];
  const extents = Buffer.alloc(8 * 100);
  for (let at = 0; at < extents.length; at += 8) extents.writeUInt32BE(avif.length, at + 4);
  const many = Buffer.concat([avif.subarray(0, location.end), extents, avif.subarray(location.end)]);
  many.writeUInt32BE(location.end - location.start + extents.length, location.start);
  many.writeUInt32BE(meta.end - meta.start + extents.length, meta.start);
  many.writeUInt16BE(1 + 100, location.end - 10);
  many.writeUInt32BE(avif.readUInt32BE(location.end - 8) + extents.length, location.end - 8);
  const limits = { field: 'body', formats: ['avif'] as const, maxPixels: 1e6, maxBytes: 1e6 };
  assert.equal(checkHeader(avif, limits).width, 1);
  assert.throws(() => checkHeader(many, limits), { kind: 'image_unreadable', message: /damaged header/ });
});

test('A11: of a TIFF only the first directory is kept, with its pixels', async () => {
  const pages = read('tif-pages.tif');
  const first = firstPicture(pages, 'tiff');
  assert.equal((await sharp(pages).metadata()).pages, 2);
  assert.equal((await sharp(first).metadata()).pages ?? 1, 1);
  assert.deepEqual(await sharp(first).raw().toBuffer(), await sharp(pages).raw().toBuffer());
});

test('a real JPEG is returned as it is', () => {
  assert.equal(firstPicture(progressive, 'jpeg'), progressive);
});
