/**
 * The order of XRAI: Kapishnikov et al., XRAI: Better Attributions Through Regions, 2019. Of all regions the one whose new pixels
 * have the highest mean attribution comes first, then the next one, until all pixels are taken.
 */
import type { Steps } from '../../domain/steps.ts';
import type { Masks } from './masks.ts';

/** A region with fewer new pixels is left out. */
const LEAST_PIXELS = 50;
const USUAL_PIXELS = 224 * 224;
const VISITS_OF_STEP = 2 ** 16;

/** The rank of each pixel's region, 0 for the highest. Pixels of no region are the last one. */
export type Ranked = { readonly labels: Uint16Array; readonly count: number };

/** Ranks the regions by the attributions of their pixels. */
export function* ranked(masks: Masks, attributions: Float64Array): Steps<Ranked> {
  const least = Math.min(LEAST_PIXELS, Math.ceil((LEAST_PIXELS * attributions.length) / USUAL_PIXELS));
  const ofPixel = yield* masksByPixel(masks, attributions.length);
  const left = masks.map((mask) => mask.length);
  const sums: number[] = [];
  for (const mask of masks) {
    sums.push(mask.reduce((sum, pixel) => sum + (attributions[pixel] as number), 0));
    yield;
  }
  const open = new Set(masks.keys());
  const labels = new Uint16Array(attributions.length);
  const isTaken = new Uint8Array(attributions.length);
  let rank = 0;
  let visits = 0;
  const take = (pixel: number) => {
    isTaken[pixel] = 1;
    labels[pixel] = rank;
    for (let at = ofPixel.starts[pixel] as number; at < (ofPixel.starts[pixel + 1] as number); at += 1) {
      const mask = ofPixel.masks[at] as number;
      left[mask] = (left[mask] as number) - 1;
      sums[mask] = (sums[mask] as number) - (attributions[pixel] as number);
      visits += 1;
    }
  };
  for (;;) {
    for (const mask of open) if ((left[mask] as number) < least) open.delete(mask);
    const best = bestOf(open, (mask) => (sums[mask] as number) / (left[mask] as number));
    if (best === undefined) break;
    open.delete(best);
    for (const pixel of masks[best] as Uint32Array) if (isTaken[pixel] === 0) take(pixel);
    rank += 1;
    if (visits < VISITS_OF_STEP) continue;
    visits = 0;
    yield;
  }
  // Pixels that no large region has left.
  let rest = 0;
  for (let pixel = 0; pixel < labels.length; pixel += 1) {
    if (isTaken[pixel] !== 0) continue;
    labels[pixel] = rank;
    rest += 1;
  }
  return { labels, count: rank + Math.min(rest, 1) };
}

function bestOf(open: ReadonlySet<number>, gain: (mask: number) => number): number | undefined {
  let best: number | undefined;
  let most = Number.NEGATIVE_INFINITY;
  for (const mask of open) {
    const value = gain(mask);
    if (!(value > most)) continue;
    [best, most] = [mask, value];
  }
  return best;
}

/** The masks of each pixel: those of pixel `p` are at `starts[p]` to `starts[p + 1]`. */
function* masksByPixel(masks: Masks, pixels: number): Steps<{ starts: Uint32Array; masks: Uint32Array }> {
  const starts = new Uint32Array(pixels + 1);
  for (const mask of masks) {
    for (const pixel of mask) starts[pixel + 1] = (starts[pixel + 1] as number) + 1;
    yield;
  }
  for (let pixel = 0; pixel < pixels; pixel += 1)
    starts[pixel + 1] = (starts[pixel + 1] as number) + (starts[pixel] as number);
  const ends = starts.slice(0, pixels);
  const found = new Uint32Array(starts[pixels] as number);
  let visits = 0;
  for (const [number, mask] of masks.entries()) {
    for (const pixel of mask) {
      const at = ends[pixel] as number;
      found[at] = number;
      ends[pixel] = at + 1;
    }
    visits += mask.length;
    if (visits < VISITS_OF_STEP) continue;
    visits = 0;
    yield;
  }
  return { starts, masks: found };
}
