/**
 * Files that break their format's standard or use rare parts of it, as in variants.json: decoded to Pillow's pixels or
 * refused. The differences are listed here and in docs/preprocessing.md.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { ImageFormat } from '../../gateway/domain/picture.ts';
import { GatewayError, type Kind } from '../../gateway/errors.ts';
import { restrictSharp } from '../../gateway/image/restrict-sharp.ts';
import { sha256 } from './golden.ts';
import { createDecoder } from './run.ts';

type Variant = { readonly file: string } & ({ readonly rgb_sha256: string } | { readonly error: string });

const FORMATS: readonly ImageFormat[] = ['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff'];
const VARIANTS = new URL('variants.json', import.meta.url);
const { images } = JSON.parse(readFileSync(VARIANTS, 'utf8')) as { images: Record<string, Variant> };

/** Pillow reads these and the gateway refuses them as rare variants. */
const REFUSED_HERE =
  /^(?:avif-4[24][024]-full-matrix-(?:8|12)|avif-4[24][024]-limited-matrix-12|avif-444-limited-matrix-0|avif-alpha-premultiplied|tif-(?:ycbcr|ycbcr-lzw|lab|i32|zstd|lzma|one-bit-planes))\./;
/** Pillow refuses these and the gateway reads them. */
const READ_HERE = /^(?:jpg-\w+-tem-marker|png-\w+-wrong-zlib-checksum|avif-400-(?:full|limited)-matrix-(?:8|10))\./;

const ENTRIES: Readonly<Record<string, RegExp>> = {
  'D19 (01): bytes between the segments of a JPEG': /^jpg-/,
  'D19 (02, 28): bytes between the blocks of a GIF, a GIF without its end': /^gif-/,
  'D19 (22): PNGs that break the standard': /^png-/,
  'D20 (19): AVIF of every chroma format, range and depth, animated, rotated, with alpha': /^avif-/,
  'A6 (25): TIFF in YCbCr, other colour models and compressions, cut off': /^tif-/,
};

restrictSharp(FORMATS);

for (const [entry, names] of Object.entries(ENTRIES)) {
  test(`${entry}: Pillow's pixels, or refused`, async (t) => {
    const chosen = Object.entries(images).filter(([name]) => names.test(name));
    let exact = 0;
    for (const [name, variant] of chosen) {
      const came = await resultOf(Buffer.from(variant.file, 'base64'));
      if (REFUSED_HERE.test(name)) assert.equal(came, 'image_unsupported', name);
      else if ('rgb_sha256' in variant) assert.equal(came, variant.rgb_sha256, name);
      else if (!READ_HERE.test(name))
        assert.match(came, /^image_(?:unreadable|unsupported)$/, `${name}: ${variant.error}`);
      else assert.match(came, /^[0-9a-f]{64}$/, name);
      if ('rgb_sha256' in variant && came === variant.rgb_sha256) exact += 1;
    }
    assert.ok(exact > 0);
    t.diagnostic(`came: ${chosen.length} files, ${exact} exact, the others refused or listed`);
  });
}

/** The SHA-256 of the pixels, or the kind of the error. */
async function resultOf(bytes: Uint8Array): Promise<Kind | string> {
  try {
    return sha256((await createDecoder(bytes, FORMATS)({ color: 'rgb', engine: 'pillow' })).data);
  } catch (error) {
    if (error instanceof GatewayError) return error.kind;
    throw error;
  }
}
