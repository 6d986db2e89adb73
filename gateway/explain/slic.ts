/**
 * SLIC superpixels: Achanta et al., SLIC Superpixels Compared to State-of-the-art Superpixel Methods, 2012. Regions of similar colour
 * and about equal size, by k-means in CIELAB and place. Each search is bounded to the neighbourhood of its centre.
 */
import type { Steps } from '../domain/steps.ts';
import type { FloatPixels } from './baselines.ts';
import { toLab } from './lab.ts';

/** The paper's m: how much place counts against colour. */
const COMPACTNESS = 10;
const ROUNDS = 10;
/** Pixels that are compared in one step: about a millisecond. */
const PIXELS_OF_STEP = 2 ** 14;

/** A centre: its colour and place, and the sums of the pixels that chose it. */
type Centres = { readonly values: Float64Array; readonly sums: Float64Array; readonly count: number };
/** Numbers of a centre: L, a, b, y, x. Its sums have the number of pixels too. */
const FIELDS = 5;

/** The region of each pixel, numbered from 0 without gaps, about `wanted` of them. Each region is connected. */
export function* slic(picture: FloatPixels, wanted: number): Steps<Uint16Array> {
  const { height, width } = picture;
  const lab = yield* toLab(picture);
  const side = Math.max(1, Math.sqrt((height * width) / wanted));
  const centres = gridOf(lab, picture, side);
  const labels = new Uint16Array(height * width);
  const distances = new Float32Array(height * width);
  for (let round = 0; round < ROUNDS; round += 1) {
    distances.fill(Number.POSITIVE_INFINITY);
    let compared = 0;
    for (let centre = 0; centre < centres.count; centre += 1) {
      compared += choose(centre, { centres, labels, distances, lab, height, width, side });
      if (compared < PIXELS_OF_STEP) continue;
      compared = 0;
      yield;
    }
    yield* moveCentres(centres, labels, lab, width);
  }
  return yield* connected(labels, { height, width, least: Math.max(1, Math.floor((side * side) / 4)) });
}

/** Centres in the middle of equal cells. */
function gridOf(lab: Float32Array, { height, width }: FloatPixels, side: number): Centres {
  const rows = Math.max(1, Math.round(height / side));
  const columns = Math.max(1, Math.round(width / side));
  const count = rows * columns;
  const values = new Float64Array(count * FIELDS);
  for (let centre = 0; centre < count; centre += 1) {
    const y = Math.floor(((Math.floor(centre / columns) + 0.5) * height) / rows);
    const x = Math.floor((((centre % columns) + 0.5) * width) / columns);
    const pixel = 3 * (y * width + x);
    values.set([lab[pixel] as number, lab[pixel + 1] as number, lab[pixel + 2] as number, y, x], centre * FIELDS);
  }
  return { values, count, sums: new Float64Array(count * (FIELDS + 1)) };
}

type Choice = {
  readonly centres: Centres;
  readonly labels: Uint16Array;
  readonly distances: Float32Array;
  readonly lab: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly side: number;
};

/** Gives a centre the pixels around it that are nearer to it than to those before. Returns how many were compared. */
function choose(centre: number, { centres, labels, distances, lab, height, width, side }: Choice): number {
  const [l = 0, a = 0, b = 0, y = 0, x = 0] = centres.values.subarray(centre * FIELDS, (centre + 1) * FIELDS);
  const ofPlace = (COMPACTNESS / side) ** 2;
  const top = Math.max(0, Math.ceil(y - side));
  const bottom = Math.min(height - 1, Math.floor(y + side));
  const left = Math.max(0, Math.ceil(x - side));
  const right = Math.min(width - 1, Math.floor(x + side));
  for (let row = top; row <= bottom; row += 1) {
    for (let column = left; column <= right; column += 1) {
      const pixel = row * width + column;
      const dl = (lab[3 * pixel] as number) - l;
      const da = (lab[3 * pixel + 1] as number) - a;
      const db = (lab[3 * pixel + 2] as number) - b;
      const distance = dl * dl + da * da + db * db + ofPlace * ((row - y) ** 2 + (column - x) ** 2);
      if (distance >= (distances[pixel] as number)) continue;
      distances[pixel] = distance;
      labels[pixel] = centre;
    }
  }
  return Math.max(0, bottom - top + 1) * Math.max(0, right - left + 1);
}

/** Moves each centre to the mean of its pixels. One without pixels stays. */
function* moveCentres(
  { values, sums, count }: Centres,
  labels: Uint16Array,
  lab: Float32Array,
  width: number,
): Steps<void> {
  sums.fill(0);
  for (let pixel = 0; pixel < labels.length; pixel += 1) {
    const at = (labels[pixel] as number) * (FIELDS + 1);
    for (let channel = 0; channel < 3; channel += 1) {
      sums[at + channel] = (sums[at + channel] as number) + (lab[3 * pixel + channel] as number);
    }
    sums[at + 3] = (sums[at + 3] as number) + Math.floor(pixel / width);
    sums[at + 4] = (sums[at + 4] as number) + (pixel % width);
    sums[at + 5] = (sums[at + 5] as number) + 1;
    if (pixel % PIXELS_OF_STEP === PIXELS_OF_STEP - 1) yield;
  }
  for (let centre = 0; centre < count; centre += 1) {
    const at = centre * (FIELDS + 1);
    const pixels = sums[at + FIELDS] as number;
    if (pixels === 0) continue;
    for (let field = 0; field < FIELDS; field += 1)
      values[centre * FIELDS + field] = (sums[at + field] as number) / pixels;
  }
}

type Extent = { readonly height: number; readonly width: number; readonly least: number };

/** Makes every connected part a region. Parts with fewer than `least` pixels join the one before them. */
function* connected(labels: Uint16Array, { height, width, least }: Extent): Steps<Uint16Array> {
  const NONE = 0xffff;
  const regions = new Uint16Array(labels.length).fill(NONE);
  const queue = new Uint32Array(labels.length);
  let count = 0;
  let visited = 0;
  for (let start = 0; start < labels.length; start += 1) {
    if (regions[start] !== NONE) continue;
    const size = flood(start, { labels, regions, queue, height, width, region: count });
    // The part above or to the left was numbered before.
    const before = start % width > 0 ? regions[start - 1] : start >= width ? regions[start - width] : undefined;
    if (size < least && before !== undefined) for (const pixel of queue.subarray(0, size)) regions[pixel] = before;
    else count += 1;
    visited += size;
    if (visited < PIXELS_OF_STEP) continue;
    visited = 0;
    yield;
  }
  return regions;
}

type Flood = {
  readonly labels: Uint16Array;
  readonly regions: Uint16Array;
  readonly queue: Uint32Array;
  readonly height: number;
  readonly width: number;
  readonly region: number;
};

/** Numbers the connected pixels of one label. They are in the queue then; returns how many. */
function flood(start: number, { labels, regions, queue, height, width, region }: Flood): number {
  const label = labels[start];
  queue[0] = start;
  regions[start] = region;
  let size = 1;
  const visit = (pixel: number) => {
    if (labels[pixel] !== label || regions[pixel] !== 0xffff) return;
    regions[pixel] = region;
    queue[size] = pixel;
    size += 1;
  };
  for (let at = 0; at < size; at += 1) {
    const pixel = queue[at] as number;
    if (pixel % width > 0) visit(pixel - 1);
    if (pixel % width < width - 1) visit(pixel + 1);
    if (pixel >= width) visit(pixel - width);
    if (pixel < (height - 1) * width) visit(pixel + width);
  }
  return size;
}
