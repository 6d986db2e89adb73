import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../domain/random.ts';
import { atOnce } from '../../domain/steps.ts';
import { ranked } from './rank.ts';

const PIXELS = 4000;

/** The same rule, by trying every region again for each rank. */
function slowly(masks: readonly Uint32Array[], attributions: Float64Array, least: number): number[] {
  const labels = new Array<number>(PIXELS).fill(-1);
  const open = new Set(masks);
  for (let rank = 0; ; rank += 1) {
    let best: { mask: Uint32Array; gain: number } | undefined;
    for (const mask of open) {
      const added = mask.filter((pixel) => labels[pixel] === -1);
      if (added.length < least) open.delete(mask);
      const gain = added.reduce((sum, pixel) => sum + (attributions[pixel] as number), 0) / added.length;
      if (open.has(mask) && gain > (best?.gain ?? Number.NEGATIVE_INFINITY)) best = { mask, gain };
    }
    if (best === undefined) return labels.map((label) => (label === -1 ? rank : label));
    open.delete(best.mask);
    for (const pixel of best.mask) if (labels[pixel] === -1) labels[pixel] = rank;
  }
}

test('the region whose new pixels have the highest mean comes first', () => {
  const random = createRandom(4);
  const attributions = Float64Array.from({ length: PIXELS }, () => random() - 0.4);
  const masks = Array.from({ length: 60 }, () => {
    const start = Math.floor(random() * PIXELS);
    const size = Math.floor(random() * 600);
    return Uint32Array.from({ length: Math.min(size, PIXELS - start) }, (_, at) => start + at);
  });
  const { labels, count } = atOnce(ranked(masks, attributions));
  assert.deepEqual([...labels], slowly(masks, attributions, 4));
  assert.equal(count, Math.max(...labels) + 1);
});

test('pixels of no region come last', () => {
  const { labels, count } = atOnce(ranked([Uint32Array.of(0, 1)], Float64Array.of(1, 2, 30)));
  assert.deepEqual([[...labels], count], [[0, 0, 1], 2]);
});
