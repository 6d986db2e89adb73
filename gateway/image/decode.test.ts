import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import sharp from 'sharp';
import { readConfig } from '../config/read.ts';
import { GatewayError, type Kind } from '../errors.ts';
import { type DecodeOptions, decode } from './decode.ts';
import { restrictSharp } from './restrict-sharp.ts';

const read = (name: string) => readFileSync(new URL(`../../tests/golden/images/${name}`, import.meta.url));

const { imageFormats } = readConfig({}, {});

const OPTIONS: DecodeOptions = {
  field: 'instances[3].url',
  color: 'rgb',
  engine: 'pillow',
  formats: imageFormats,
  maxPixels: 50_000_000,
  maxBytes: 10_000_000,
};

function failsAs(kind: Kind, detail: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof GatewayError);
    assert.equal(error.kind, kind);
    assert.match(error.message, detail);
    assert.doesNotMatch(error.message, /vips|sharp/i);
    return true;
  };
}

before(() => restrictSharp(imageFormats));

describe('refusals and their error texts', () => {
  const rows: [string, Kind, RegExp][] = [
    ['junk-html.jpg', 'image_unreadable', /^instances\[3\]\.url is not an image; send JPEG, PNG, WEBP, GIF, AVIF\.$/],
    ['junk-empty.jpg', 'image_unreadable', /is not an image/],
    ['junk-svg.svg', 'image_unsupported', /^instances\[3\]\.url is SVG, which is not offered; send /],
    ['tif-rgb-lzw.tif', 'image_unsupported', /is TIFF, which is not offered/],
    ['bmp-24.bmp', 'image_unsupported', /is BMP/],
    ['png-bad-ihdr-crc.png', 'image_unreadable', /is PNG with a damaged header/],
    ['jpg-bad-truncated-half.jpg', 'image_unreadable', /^instances\[3\]\.url is damaged or cut off/],
    ['bomb-png-50000x50000-declared.png', 'image_too_large', /declares 50000 x 50000 pixels, more than 50000000/],
  ];
  for (const [name, kind, detail] of rows) {
    test(`${name}: ${kind}`, () => assert.rejects(decode(read(name), OPTIONS), failsAs(kind, detail)));
  }

  test('a 12-bit JPEG: image_unsupported', async () => {
    const bytes = read('jpg-420.jpg');
    bytes.writeUInt8(12, bytes.indexOf('ffc0', 'hex') + 4);
    await assert.rejects(decode(bytes, OPTIONS), failsAs('image_unsupported', /rare variant/));
  });

  test('an AVIF may have half of MAX_IMAGE_PIXELS: it takes twice the memory', async () => {
    const bytes = read('avif-420.avif');
    const { width, height } = await decode(bytes, OPTIONS);
    await decode(bytes, { ...OPTIONS, maxPixels: 2 * width * height });
    const tooMany = decode(bytes, { ...OPTIONS, maxPixels: 2 * width * height - 2 });
    const detail = new RegExp(
      `declares ${width} x ${height} pixels, more than ${width * height - 1} of AVIF; scale it down`,
    );
    await assert.rejects(tooMany, failsAs('image_too_large', detail));
  });

  test('one pixel more than allowed is refused', async () => {
    const bytes = read('png-rgb8.png');
    const { width, height } = await decode(bytes, { ...OPTIONS, maxPixels: 130 * 89 });
    assert.deepEqual([width, height], [130, 89]);
    const tooMany = decode(bytes, { ...OPTIONS, maxPixels: 130 * 89 - 1 });
    await assert.rejects(tooMany, failsAs('image_too_large', /130 x 89/));
  });

  test("the library's error is kept as the cause", async () => {
    await assert.rejects(decode(read('png-bad-truncated.png'), OPTIONS), (error: Error) => {
      return error.cause instanceof Error && /png/i.test(error.cause.message);
    });
  });
});

describe('channels', () => {
  test('a gray picture becomes RGB for color rgb and stays gray for color grayscale', async () => {
    const rgb = await decode(read('png-l8.png'), OPTIONS);
    const gray = await decode(read('png-l8.png'), { ...OPTIONS, color: 'grayscale' });
    assert.deepEqual([rgb.channels, gray.channels], [3, 1]);
    assert.deepEqual(
      rgb.data.filter((_, i) => i % 3 === 1),
      gray.data,
    );
  });

  test('16-bit gray is clipped for RGB, kept for Keras grayscale, cut to its high byte for TensorFlow', async () => {
    const bytes = read('png-l16.png');
    const kept = await decode(bytes, { ...OPTIONS, color: 'grayscale' });
    assert.ok(kept.data instanceof Uint16Array && kept.data.some((value) => value > 255));
    const clipped = await decode(bytes, OPTIONS);
    const high = await decode(bytes, { ...OPTIONS, color: 'grayscale', engine: 'tensorflow' });
    kept.data.forEach((value, i) => {
      assert.equal(clipped.data[3 * i], Math.min(value, 255));
      assert.equal(high.data[i], value >> 8);
    });
  });

  test('transparent pixels of a GIF have the palette colour with Pillow, black with TensorFlow', async () => {
    const pillow = await decode(read('gif-transparent.gif'), OPTIONS);
    const tensorflow = await decode(read('gif-transparent.gif'), { ...OPTIONS, engine: 'tensorflow' });
    const open = Array.from(pillow.data, (value, i) => [value, tensorflow.data[i]] as const).filter(
      ([a, b]) => a !== b,
    );
    assert.ok(open.length > 0);
    assert.deepEqual([...new Set(open.map(String))].sort(), ['246,0', '249,0']);
  });
});

test('sharp opens only the offered formats, and no files', async () => {
  await assert.rejects(sharp(read('junk-svg.svg')).toBuffer());
  await assert.rejects(sharp(read('tif-rgb-lzw.tif')).toBuffer());
  await assert.rejects(sharp(new URL('../../tests/golden/images/jpg-8x8.jpg', import.meta.url).pathname).toBuffer());
});
