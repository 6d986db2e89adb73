/** The regions that XRAI chooses from: segments of several scales, grown a little so that they contain their edges. */
import type { Steps } from '../../domain/steps.ts';
import type { FloatPixels } from '../baselines.ts';
import { felzenszwalb } from './felzenszwalb.ts';
import { SIDE, smoothed } from './smooth.ts';

/** Of XRAI's reference implementation: of Felzenszwalb's `scale`, which is given for 8-bit values, … */
const SCALES = [50, 100, 150, 250, 500, 1200].map((scale) => scale / 255);
/** … of the smallest segment, and how far a segment is grown. */
const LEAST_PIXELS = 150;
const GROWTH = 5;
/** Pixels that are visited in one step: about a millisecond. */
const VISITS_OF_STEP = 2 ** 17;

export type Extent = { readonly height: number; readonly width: number };
/** The pixels of each region. Regions overlap. */
export type Masks = readonly Uint32Array[];

/** The regions of a picture. */
export function* masksOf(picture: FloatPixels): Steps<Masks> {
  const { channels, height, width } = picture;
  const values = yield* smoothed(picture);
  const found = yield* felzenszwalb({ values, height: SIDE, width: SIDE, channels }, SCALES, LEAST_PIXELS);
  const radius = Math.min(GROWTH, Math.round((GROWTH * Math.min(height, width)) / SIDE));
  const masks: Uint32Array[] = [];
  for (const labels of found) {
    const ofPicture = resized(labels, { height, width });
    yield;
    masks.push(...(yield* grown(ofPicture, { height, width }, radius)));
  }
  return masks;
}

/** Labels of a square of SIDE at the nearest pixels. */
function resized(labels: Uint32Array, { height, width }: Extent): Uint32Array {
  return Uint32Array.from({ length: height * width }, (_, pixel) => {
    const row = Math.floor(((Math.floor(pixel / width) + 0.5) * SIDE) / height);
    const column = Math.floor((((pixel % width) + 0.5) * SIDE) / width);
    return labels[row * SIDE + column] as number;
  });
}

/** The pixels within `radius` of each segment. Only pixels at its edge can reach beyond it. */
export function* grown(labels: Uint32Array, { height, width }: Extent, radius: number): Steps<Uint32Array[]> {
  const members = yield* pixelsByLabel(labels);
  const disk = diskOf(radius);
  const lastMask = new Int32Array(labels.length).fill(-1);
  const masks: Uint32Array[] = [];
  let visits = 0;
  for (const [label, own] of members.entries()) {
    const around: number[] = [];
    for (const pixel of own) {
      visits += 1;
      if (!isAtEdge(labels, pixel, { height, width })) continue;
      const row = Math.floor(pixel / width);
      for (const [down, right] of disk) {
        const [y, x] = [row + down, (pixel % width) + right];
        if (y < 0 || y >= height || x < 0 || x >= width) continue;
        const other = y * width + x;
        if (labels[other] === label || lastMask[other] === label) continue;
        lastMask[other] = label;
        around.push(other);
      }
      visits += disk.length;
      if (visits < VISITS_OF_STEP) continue;
      visits = 0;
      yield;
    }
    const mask = new Uint32Array(own.length + around.length);
    mask.set(own);
    mask.set(around, own.length);
    masks.push(mask);
  }
  return masks;
}

function* pixelsByLabel(labels: Uint32Array): Steps<Uint32Array[]> {
  const counts: number[] = [];
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  yield;
  const members = Array.from(counts, (count) => new Uint32Array(count ?? 0));
  const ends = new Uint32Array(members.length);
  for (const [pixel, label] of labels.entries()) {
    const at = ends[label] as number;
    (members[label] as Uint32Array)[at] = pixel;
    ends[label] = at + 1;
  }
  return members;
}

function isAtEdge(labels: Uint32Array, pixel: number, { height, width }: Extent): boolean {
  const label = labels[pixel];
  const column = pixel % width;
  return (
    (column > 0 && labels[pixel - 1] !== label) ||
    (column < width - 1 && labels[pixel + 1] !== label) ||
    (pixel >= width && labels[pixel - width] !== label) ||
    (pixel < (height - 1) * width && labels[pixel + width] !== label)
  );
}

function diskOf(radius: number): readonly (readonly [number, number])[] {
  const side = Array.from({ length: 2 * radius + 1 }, (_, index) => index - radius);
  return side.flatMap((y) => side.filter((x) => x * x + y * y <= radius * radius).map((x) => [y, x] as const));
}
