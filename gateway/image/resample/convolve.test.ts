import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Fit, Pixels } from '../../domain/picture.ts';
import { testSpec } from '../test-spec.ts';
import { simdPasses8 } from './convolve.ts';
import { resizeWhole } from './feed.ts';
import { type Geometry, geometryOf, isUntouched } from './geometry.ts';
import { passes8 } from './passes.ts';
import { createPillowResize } from './pillow.ts';
import { FILTERS } from './pillow-tables.ts';
import { packTaps } from './taps.ts';

type Shape = { width: number; height: number; channels: 1 | 3 };

/** Black, white and noise. Black and white overshoot at both ends of the range. */
function picture({ width, height, channels }: Shape): Pixels & { data: Uint8Array } {
  const data = new Uint8Array(width * height * channels);
  let noise = 1;
  for (let i = 0; i < data.length; i++) {
    noise = (Math.imul(noise, 1_664_525) + 1_013_904_223) >>> 0;
    data[i] = noise % 3 === 0 ? 0 : noise % 3 === 1 ? 255 : noise >>> 24;
  }
  return { width, height, channels, data };
}

type Filter = Parameters<typeof createPillowResize>[0];

function resized(pixels: Pixels, geometry: Geometry, filter: Filter, pillow: number, passes: typeof passes8) {
  const resize = createPillowResize(filter, pillow, 2 ** 20, passes);
  const samples = geometry.x.windowSize * geometry.y.windowSize * pixels.channels;
  return resizeWhole(pixels, (source, emit) => resize(source, geometry, emit), samples);
}

function assertSame(simd: Uint8Array, plain: Uint8Array): void {
  assert.ok(Buffer.from(simd).equals(plain), 'the SIMD passes differ from the plain ones');
}

describe('SIMD gives the same bytes as plain TypeScript', () => {
  const side = fc.integer({ min: 1, max: 90 });
  const channels = fc.constantFrom(1 as const, 3 as const);

  test('for any size, filter, window, order of passes and number of channels', () => {
    const fit = fc.oneof(
      fc.constantFrom<Fit>('stretch', 'crop'),
      fc.record({ shorter: fc.integer({ min: 90, max: 120 }) }),
    );
    const filter = fc.constantFrom(...Object.values(FILTERS));
    const shape = fc.record({ width: side, height: side, channels });
    const property = fc.property(
      shape,
      fc.tuple(side, side),
      fit,
      filter,
      fc.constantFrom(12, 13),
      (from, size, fit, filter, pillow) => {
        const pixels = picture(from);
        const geometry = geometryOf(pixels, testSpec({ size, fit }));
        fc.pre(!(isUntouched(geometry.x) && isUntouched(geometry.y)));
        const [simd, plain] = [simdPasses8, passes8].map((passes) => resized(pixels, geometry, filter, pillow, passes));
        assertSame(simd as Uint8Array, plain as Uint8Array);
      },
    );
    fc.assert(property, { numRuns: 400 });
  });

  test('for any 32-bit weights, with sums that overflow', () => {
    const weights = fc.array(fc.array(fc.integer(), { maxLength: 20 }), { minLength: 1, maxLength: 9 });
    const property = fc.property(weights, channels, (runs, channels) => {
      const taps = packTaps(
        runs.map((weights, i) => ({ start: i * 20, weights })),
        new Int32Array(),
      );
      const side = 20 * runs.length;
      const { data } = picture({ width: side, height: side, channels });
      const part = { stride: side * channels, channels, origin: 0, from: 3, to: side };
      assertSame(simdPasses8.horizontal(data, part, taps), passes8.horizontal(data, part, taps));
      assertSame(simdPasses8.vertical(data, part, taps), passes8.vertical(data, part, taps));
    });
    fc.assert(property, { numRuns: 100 });
  });

  const large: [what: string, shape: Shape, size: [height: number, width: number]][] = [
    ['strips of a picture', { width: 1201, height: 1503, channels: 3 }, [301, 299]],
    ['strips of an enlarged picture', { width: 301, height: 299, channels: 3 }, [1503, 1201]],
    ['strips of a gray picture', { width: 1999, height: 2001, channels: 1 }, [299, 1001]],
    ['runs of rows larger than the memory', { width: 61, height: 20_000, channels: 3 }, [1, 30]],
    ['tables larger than the memory', { width: 65_535, height: 2, channels: 1 }, [2, 30_000]],
  ];
  for (const [what, shape, size] of large) {
    test(`for ${what}`, () => {
      const pixels = picture(shape);
      const geometry = geometryOf(pixels, testSpec({ size }));
      const [simd, plain] = [simdPasses8, passes8].map((passes) =>
        resized(pixels, geometry, FILTERS.lanczos, 13, passes),
      );
      assertSame(simd as Uint8Array, plain as Uint8Array);
    });
  }
});
