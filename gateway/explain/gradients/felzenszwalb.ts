/**
 * Segmentation by a graph: Felzenszwalb and Huttenlocher, Efficient Graph-Based Image Segmentation, 2004. Two segments join along
 * an edge that differs no more than their own insides do, plus `scale` by their size. A larger scale gives larger segments.
 */
import type { Steps } from '../../domain/steps.ts';

/** Edges of one step: about a millisecond. */
const EDGES_OF_STEP = 2 ** 14;
const RADIX_BITS = 11;
const RADIX = 2 ** RADIX_BITS;

export type Field = {
  readonly values: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
};
/** Edges between neighbours, by their difference, the least first. */
type Edges = {
  readonly from: Uint32Array;
  readonly to: Uint32Array;
  readonly weights: Float32Array;
  readonly order: Uint32Array;
};

/** For each scale the segment of each pixel, numbered from 0. Segments have at least `least` pixels. */
export function* felzenszwalb(field: Field, scales: readonly number[], least: number): Steps<Uint32Array[]> {
  const edges = yield* edgesOf(field);
  const found: Uint32Array[] = [];
  for (const scale of scales) found.push(yield* segmented(edges, field.height * field.width, scale, least));
  return found;
}

/** To the right, down, and both diagonals. */
function* edgesOf({ values, height, width, channels }: Field): Steps<Edges> {
  const most = 4 * height * width;
  const from = new Uint32Array(most);
  const to = new Uint32Array(most);
  const weights = new Float32Array(most);
  let count = 0;
  const add = (one: number, other: number) => {
    let square = 0;
    for (let channel = 0; channel < channels; channel += 1) {
      square += ((values[one * channels + channel] as number) - (values[other * channels + channel] as number)) ** 2;
    }
    from[count] = one;
    to[count] = other;
    weights[count] = Math.sqrt(square);
    count += 1;
  };
  for (let pixel = 0; pixel < height * width; pixel += 1) {
    const isRight = pixel % width === width - 1;
    const isBottom = pixel >= (height - 1) * width;
    if (!isRight) add(pixel, pixel + 1);
    if (!isBottom) add(pixel, pixel + width);
    if (!isRight && !isBottom) {
      add(pixel, pixel + width + 1);
      add(pixel + 1, pixel + width);
    }
    if (pixel % EDGES_OF_STEP === EDGES_OF_STEP - 1) yield;
  }
  const order = yield* sorted(weights.subarray(0, count));
  return { from, to, weights, order };
}

/** The indices of numbers that are not negative, by their size: a radix sort of their bits. */
function* sorted(weights: Float32Array): Steps<Uint32Array> {
  const bits = new Uint32Array(weights.buffer, weights.byteOffset, weights.length);
  let order = Uint32Array.from(weights, (_, index) => index);
  let next = new Uint32Array(weights.length);
  for (let shift = 0; shift < 32; shift += RADIX_BITS) {
    const starts = new Uint32Array(RADIX + 1);
    const digit = (index: number) => ((bits[index] as number) >>> shift) & (RADIX - 1);
    for (let at = 0; at < order.length; at += 1) {
      const after = digit(at) + 1;
      starts[after] = (starts[after] as number) + 1;
    }
    for (let value = 1; value <= RADIX; value += 1)
      starts[value] = (starts[value] as number) + (starts[value - 1] as number);
    yield;
    for (let at = 0; at < order.length; at += 1) {
      const index = order[at] as number;
      const place = starts[digit(index)] as number;
      next[place] = index;
      starts[digit(index)] = place + 1;
      if (at % (4 * EDGES_OF_STEP) === 0) yield;
    }
    [order, next] = [next, order];
  }
  return order;
}

function* segmented(
  { from, to, weights, order }: Edges,
  pixels: number,
  scale: number,
  least: number,
): Steps<Uint32Array> {
  const parents = Uint32Array.from({ length: pixels }, (_, pixel) => pixel);
  const sizes = new Uint32Array(pixels).fill(1);
  /** The largest difference inside each segment. */
  const inside = new Float32Array(pixels);
  const join = (one: number, other: number): number => {
    const [root, child] = one < other ? [one, other] : [other, one];
    parents[child] = root;
    sizes[root] = (sizes[root] as number) + (sizes[child] as number);
    return root;
  };
  for (let at = 0; at < order.length; at += 1) {
    const edge = order[at] as number;
    const one = rootOf(parents, from[edge] as number);
    const other = rootOf(parents, to[edge] as number);
    if (at % EDGES_OF_STEP === EDGES_OF_STEP - 1) yield;
    if (one === other) continue;
    const bound = (segment: number) => (inside[segment] as number) + scale / (sizes[segment] as number);
    const weight = weights[edge] as number;
    if (weight < Math.min(bound(one), bound(other))) inside[join(one, other)] = weight;
  }
  for (let at = 0; at < order.length; at += 1) {
    const edge = order[at] as number;
    const one = rootOf(parents, from[edge] as number);
    const other = rootOf(parents, to[edge] as number);
    const isSmall = Math.min(sizes[one] as number, sizes[other] as number) < least;
    if (one !== other && isSmall) join(one, other);
    if (at % EDGES_OF_STEP === EDGES_OF_STEP - 1) yield;
  }
  return numbered(parents);
}

/** The first pixel of a segment. Paths are halved on the way. */
function rootOf(parents: Uint32Array, pixel: number): number {
  let at = pixel;
  while (parents[at] !== at) {
    parents[at] = parents[parents[at] as number] as number;
    at = parents[at] as number;
  }
  return at;
}

/** Roots as numbers from 0. A root comes before the other pixels of its segment. */
function numbered(parents: Uint32Array): Uint32Array {
  const numbers = new Uint32Array(parents.length);
  let count = 0;
  for (let pixel = 0; pixel < parents.length; pixel += 1) {
    const root = rootOf(parents, pixel);
    if (root === pixel) numbers[pixel] = count++;
    else numbers[pixel] = numbers[root] as number;
  }
  return numbers;
}
