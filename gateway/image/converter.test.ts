import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Fit, type ImageSpec, PILLOW_FILTERS, TENSORFLOW_METHODS } from '../domain/picture.ts';
import { createConverter } from './converter.ts';
import { decodeWholeJpeg } from './jpeg/whole.ts';
import { createNormaliser } from './normalise.ts';
import { createRowResize } from './resample.ts';
import { testSpec } from './test-spec.ts';

const read = (name: string) => readFileSync(new URL(`../../tests/golden/images/${name}`, import.meta.url));
const FILES = ['jpg-420.jpg', 'jpg-progressive-444.jpg', 'jpg-gray.jpg', 'jpg-17x16.jpg'].map(read);
const FITS: readonly Fit[] = ['stretch', 'crop', { shorter: 60 }, { pad: 7, place: 'center' }];

/** Every way of resizing, with changing layouts, colours and scales. */
function* specs(): Generator<ImageSpec> {
  const engines = [
    ...PILLOW_FILTERS.map((resize) => ({ engine: 'pillow', resize, antialias: false }) as const),
    ...TENSORFLOW_METHODS.flatMap((resize) =>
      [false, true].map((antialias) => ({ engine: 'tensorflow', resize, antialias }) as const),
    ),
  ];
  for (const engine of engines) {
    for (const fit of FITS) {
      yield testSpec({ ...engine, fit, size: [40, 60], scale: 'torch', layout: 'NCHW' });
      yield testSpec({ ...engine, fit, size: [60, 33], color: 'grayscale', pillow: 12 });
    }
  }
}

/** The row from the whole picture, whose rows are given to the resize one at a time or all at once. */
function reference(file: Uint8Array, spec: ImageSpec, atOnce: 'one' | 'all'): Float32Array {
  const channels = spec.color === 'rgb' ? 3 : 1;
  const picture = decodeWholeJpeg(file, channels, 1e6);
  if (typeof picture === 'string') throw new Error(picture);
  const parts: number[] = [];
  const emit = (rows: ArrayLike<number>) => void parts.push(...Array.from(rows));
  const resizing = createRowResize(spec)({ ...picture, isDeep: false }, emit);
  const { columns, rows } = resizing;
  const stride = columns.length * channels;
  const samples = new Uint8Array(rows.length * stride);
  for (let y = 0; y < rows.length; y++) {
    for (let x = 0; x < columns.length; x++) {
      const from = ((rows[y] as number) * picture.width + (columns[x] as number)) * channels;
      samples.set(picture.data.subarray(from, from + channels), y * stride + x * channels);
    }
  }
  const count = atOnce === 'all' ? rows.length : 1;
  for (let y = 0; y < rows.length; y += count) resizing.take(samples.subarray(y * stride), stride, count);
  const isFloat = spec.engine === 'tensorflow' && spec.resize !== 'nearest';
  const data = isFloat ? Float32Array.from(parts) : Uint8Array.from(parts);
  const [height, width] = spec.size;
  const out = new Float32Array(height * width * channels);
  createNormaliser(spec)({ width, height, channels, data }, out);
  return out;
}

test('the rows of a JPEG as they come, its rows one by one, and the whole picture give the same tensor', () => {
  let compared = 0;
  for (const spec of specs()) {
    const converter = createConverter(spec);
    for (const file of FILES) {
      const row = new Float32Array(spec.size[0] * spec.size[1] * (spec.color === 'rgb' ? 3 : 1));
      assert.equal(converter.jpeg(file, row), 'ok');
      for (const atOnce of ['one', 'all'] as const) {
        assert.ok(
          Buffer.from(reference(file, spec, atOnce).buffer).equals(Buffer.from(row.buffer)),
          JSON.stringify(spec),
        );
        compared += 1;
      }
    }
  }
  assert.equal(compared, 16 * FITS.length * 2 * FILES.length * 2);
});
