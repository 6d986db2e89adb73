/** A picture for the tests of methods, and a model that scores it by a function. */
import type { Meter } from './budget.ts';
import { createMeter } from './budget.ts';
import type { PictureSubject } from './method.ts';

export type TestPicture = { readonly subject: PictureSubject; readonly meter: Meter };

/** A dark picture with a bright square from 16 to 32 in both axes. `score`: of its pixels. */
export function testPicture(score: (pixels: Float32Array) => number, calls = 1000): TestPicture {
  const side = 64;
  const pixels = new Float32Array(side * side * 3).fill(30);
  for (let y = 16; y < 32; y += 1) pixels.fill(220, 3 * (y * side + 16), 3 * (y * side + 32));
  const meter = createMeter(calls, Number.POSITIVE_INFINITY);
  const subject: PictureSubject = {
    kind: 'picture',
    target: { name: 'square', output: 'y', element: 0, sign: 1, offset: 0 },
    signatures: new Map(),
    height: side,
    width: side,
    channels: 3,
    pixels,
    inputShape: [side, side, 3],
    scaled: (given) => given.map((value) => value / 255),
    ask: () => Promise.reject(new TypeError('no signature')),
    async scores(count, write) {
      const into = new Float32Array(pixels.length);
      meter.add(count, 0);
      return Float64Array.from({ length: count }, (_, index) => {
        write(index, into);
        return score(into);
      });
    },
  };
  return { subject, meter };
}

/** The mean of the pixels of the square: what is outside does not count. */
export function squareScore(pixels: Float32Array): number {
  let sum = 0;
  for (let y = 16; y < 32; y += 1) {
    for (const sample of pixels.subarray(3 * (y * 64 + 16), 3 * (y * 64 + 32))) sum += sample;
  }
  return sum / (16 * 16 * 3);
}
