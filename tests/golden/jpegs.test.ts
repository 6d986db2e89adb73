/**
 * JPEGs of every sampling, kind of scan, table and order of markers, as in jpegs.json: the gateway's own decoder gives
 * Pillow's pixels, or leaves the file to sharp.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeJpeg, type JpegResult, type JpegSelection } from '../../gateway/image/jpeg/decode.ts';
import { sha256 } from './golden.ts';

type Jpeg = { readonly file: string } & (
  | { readonly result: 'ok'; readonly size: readonly [number, number]; readonly rgb_sha256: string }
  | { readonly result: Exclude<JpegResult, 'ok'> }
);

const { images } = JSON.parse(readFileSync(new URL('jpegs.json', import.meta.url), 'utf8')) as {
  images: Record<string, Jpeg>;
};

type Decoded = {
  readonly result: JpegResult;
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
};

/** Decodes the pixels of some columns and rows, which are chosen by the length of the axis. */
function decode(file: Uint8Array, columns: Choice = all, rows: Choice = all, channels: 1 | 3 = 3): Decoded {
  let [width, height] = [0, 0];
  const parts: Uint8Array[] = [];
  const result = decodeJpeg(file, {
    select(frame): JpegSelection {
      ({ width, height } = frame);
      return { columns: columns(width), rows: rows(height), channels };
    },
    take: (samples) => parts.push(samples.slice()),
  });
  return { result, width, height, data: Buffer.concat(parts) };
}

type Choice = (length: number) => Int32Array;

const all: Choice = (length) => Int32Array.from({ length }, (_, i) => i);
const CHOICES: Readonly<Record<string, Choice>> = {
  middle: (length) => Int32Array.from({ length: Math.ceil(length / 3) }, (_, i) => i + Math.floor(length / 3)),
  everyThird: (length) => Int32Array.from({ length: Math.ceil(length / 3) }, (_, i) => 3 * i),
  twice: (length) => Int32Array.from({ length: 2 * length }, (_, i) => i >> 1),
  few: (length) => Int32Array.of(0, Math.floor(length / 2), length - 1),
};

/** The pixels of some columns and rows of a whole picture. */
function pick({ width, data }: Decoded, columns: Int32Array, rows: Int32Array): Buffer {
  return Buffer.from(
    [...rows].flatMap((y) => [...columns].flatMap((x) => [0, 1, 2].map((c) => rgbAt(data, width, x, y, c)))),
  );
}

const rgbAt = (data: Uint8Array, width: number, x: number, y: number, c: number) =>
  data[3 * (y * width + x) + c] as number;

/** Pillow's convert('L'). */
function toGray(rgb: Uint8Array): Buffer {
  const at = (i: number) => rgb[i] as number;
  const gray = (i: number) => (19595 * at(3 * i) + 38470 * at(3 * i + 1) + 7471 * at(3 * i + 2) + 0x8000) >> 16;
  return Buffer.from(Array.from({ length: rgb.length / 3 }, (_, i) => gray(i)));
}

for (const [name, jpeg] of Object.entries(images)) {
  const file = Buffer.from(jpeg.file, 'base64');

  if (jpeg.result !== 'ok') {
    test(`${name} is ${jpeg.result}`, () => assert.equal(decode(file).result, jpeg.result));
    continue;
  }

  test(`${name} has Pillow's pixels, whole and in parts`, () => {
    const whole = decode(file);
    assert.equal(whole.result, 'ok');
    assert.deepEqual([whole.width, whole.height], jpeg.size);
    assert.equal(sha256(whole.data), jpeg.rgb_sha256);
    for (const [across, columns] of Object.entries(CHOICES)) {
      for (const [down, rows] of Object.entries(CHOICES)) {
        const expected = pick(whole, columns(whole.width), rows(whole.height));
        assert.deepEqual(decode(file, columns, rows).data, expected, `columns ${across}, rows ${down}`);
        assert.deepEqual(
          decode(file, columns, rows, 1).data,
          toGray(expected),
          `gray, columns ${across}, rows ${down}`,
        );
      }
    }
  });
}

test('jpegs.json has files of every result', () => {
  const results = new Set(Object.values(images).map(({ result }) => result));
  assert.deepEqual([...results].sort(), ['cut off', 'damaged', 'not ours', 'ok']);
});
