import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import type { Explanation } from '../../domain/explanation.ts';
import { COLORS, colorOf } from './colors.ts';
import { numberText } from './digits.ts';
import { drawHeat } from './png.ts';

/** Oklab of an 8-bit colour of sRGB. */
function oklab(color: readonly [number, number, number]): readonly [number, number, number] {
  const [r, g, b] = color.map((level) => {
    const value = level / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

test('equal steps of a value are equally visible, and get lighter', () => {
  const places = COLORS.filter((_, step) => step % 15 === 0).map(oklab);
  const steps = places.slice(1).map((place, index) => {
    const before = places[index] ?? place;
    assert.ok(place[0] > before[0]);
    return Math.hypot(...place.map((value, axis) => value - (before[axis] ?? 0)));
  });
  const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;
  for (const step of steps) assert.ok(Math.abs(step / mean - 1) < 0.15, `${steps}`);
  assert.deepEqual([colorOf(-9), colorOf(1)], [COLORS[0], COLORS[255]]);
});

test('a legend has numbers in three digits', () => {
  assert.deepEqual([0, 1.23456, -0.000012345, 12345].map(numberText), ['0', '+1.23', '-0.0000123', '+12300']);
});

const PICTURE = { height: 40, width: 80, channels: 3, data: new Uint8Array(40 * 80 * 3).fill(128) } as const;
const EXPLANATION: Explanation = {
  method: 'occlusion',
  target: 'y',
  baseline: 'blur',
  baselineScore: 0,
  score: 1,
  tolerance: null,
  calls: 4,
  picture: PICTURE,
  attributions: { kind: 'grid', rows: 1, columns: 2, values: Float64Array.of(-3, 3) },
};

test('the map is the picture enlarged, blue against the target and yellow for it, with a legend below', async () => {
  const { data, info } = await sharp(await drawHeat(EXPLANATION))
    .raw()
    .toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.channels], [640, 3]);
  assert.ok(info.height > 320 && info.height < 400);
  const at = (x: number, y: number) =>
    [...data.subarray(3 * (y * 640 + x), 3 * (y * 640 + x) + 3)] as [number, number, number];
  const [left, right] = [at(20, 100), at(620, 100)];
  assert.ok(left[2] > left[0] && right[0] > right[2], `${left} ${right}`);
  const legend = [at(8, 330), at(631, 330)];
  assert.deepEqual(
    legend.map(([red, , blue]) => red > blue),
    [false, true],
  );
});

test('regions and gray pictures have maps; a record has none', async () => {
  const labels = Uint16Array.from({ length: 40 * 80 }, (_, pixel) => Number(pixel % 80 >= 40));
  const gray = { ...PICTURE, channels: 1, data: new Uint8Array(40 * 80) } as const;
  const regions = { kind: 'regions', labels, values: Float64Array.of(0, 0) } as const;
  const png = await drawHeat({ ...EXPLANATION, picture: gray, attributions: regions });
  assert.equal((await sharp(png).metadata()).format, 'png');
  const features = { kind: 'features', names: ['a'], values: Float64Array.of(1) } as const;
  await assert.rejects(drawHeat({ ...EXPLANATION, attributions: features }), TypeError);
});
