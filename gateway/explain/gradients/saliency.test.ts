/** The order of regions is that of `saliency` 0.2.1 (PAIR): serving/training/tests/against_saliency.py compares photos. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { atOnce } from '../../domain/steps.ts';
import { masksOf } from './masks.ts';
import { ranked } from './rank.ts';

const SIDE = 96;
/** The rank of each pixel's region by saliency.XRAI().GetMask, uint8, compressed. */
const EXPECTED =
  'eNrt2A1vojAcx3HADcGhiI5jig/IqTdPff9v70rLQ4W29t+HZMn5TZYsWfL5FZZsYLlep1WfVPmCKq9adv3q2m63+/3+cDj8Rh2P' +
  'xz+o+/3+F3U+n3e4kvAG/ZovLfv1+Rm353Ox6A0sl4CBh9uzYxxfz388/st/+S+f4Qd0pv1gmEk/YGbMx9ob3XtVYMRv8BFVO6Ht' +
  '1/poELWg4VNn9+jqCTKg7rdn95x+XjvwruwjHh/UYdcuqPsiHg+M3pT9+vSew8/rDwD8gPgiHg9Ut0jNHz/lyRVQFyDvj8cyvOM9' +
  'Dkj7knz/VwD0HUduAOxLH78dsOc75AJimD+SvD3tQBzL+6Dj/0gfcnvIQIwHBpn0Odn2UTb9WT2g6c94TdFXNaDpf/CaoqoBXT+c' +
  'sKonZtp+yI5MmPH9YXgC+7GmX2luPzIxwTdI13fZoQFyAZq+y8s3c36BH04GPvzvJ9/3TfiuK7pBPV/h/xfUh/7/ted7Cj78+UfJ' +
  'Bzy/AX3o86cP9VPQ83Oo4ss//08U/BTw/qLkVwty718fyr7c+6Oqn8q9/0bKfirx/h5FGn769POHRM/PMuHnJ0mi7WfdRP/znyQx' +
  '42fsz68SY37G1Q35/Ymky5TftVqtXv7/5vuQ5ze4L7gAxvMn0BffIHx8fd8X3h5tPxS9v+j47QD//QvzhY4fReg9kff+ODXhk4lh' +
  'UxLlr5/wfb8ZmLPq+MYvZHx6IM+/5my8npjF869N0Qw89Yti4KMEA9WPC8pfi48/9PGAsA3lowE8kXHC/ormc/HEBlW0A/i7aoLL' +
  'kwE8kT+04VY07Qo6Jk5CPhjHlWVhsbI8lVY7fZ+s9m27y+ViFb9erxdrIfx2u12tdbPfP62kahQ=';

const places = Array.from({ length: SIDE * SIDE }, (_, pixel) => ({ y: Math.floor(pixel / SIDE), x: pixel % SIDE }));

/** A disk, a square and a strip before a background that becomes more blue. */
function colourAt(y: number, x: number): readonly number[] {
  if (y > 85) return [60, 120, 60];
  if (Math.abs(y - 60) < 18 && Math.abs(x - 68) < 14) return [40, 60, 160];
  if ((y - 40) ** 2 + (x - 30) ** 2 < 20 ** 2) return [180, 40, 40];
  return [200, 190, Math.round(170 + x * 0.3)];
}

function attributionAt(y: number, x: number): number {
  const disk = Math.exp(-((y - 40) ** 2 + (x - 30) ** 2) / 300);
  const square = 0.5 * Math.exp(-((y - 60) ** 2 + (x - 68) ** 2) / 200);
  return disk + square + 0.02 * Math.sin(x * 1.3 + y * 0.7);
}

/** The ranks of values; equal values share the mean of theirs. */
function ranksOf(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, at) => at);
  order.sort((a, b) => (values[a] as number) - (values[b] as number));
  const ranks = new Float64Array(values.length);
  for (let start = 0, end = 0; start < order.length; start = end) {
    while (end < order.length && values[order[end] as number] === values[order[start] as number]) end += 1;
    for (let at = start; at < end; at += 1) ranks[order[at] as number] = (start + end - 1) / 2;
  }
  return ranks;
}

/** Spearman's rank correlation. */
function correlation(one: ArrayLike<number>, other: ArrayLike<number>): number {
  const [a, b] = [ranksOf(one), ranksOf(other)];
  const mean = (a.length - 1) / 2;
  const sum = (x: Float64Array, y: Float64Array) =>
    x.reduce((total, value, at) => total + (value - mean) * ((y[at] as number) - mean), 0);
  return sum(a, b) / Math.sqrt(sum(a, a) * sum(b, b));
}

test('the ranks of regions are those of saliency', (t) => {
  const pixels = Float32Array.from(places.flatMap(({ y, x }) => colourAt(y, x)));
  const attributions = Float64Array.from(places, ({ y, x }) => attributionAt(y, x));
  const masks = atOnce(masksOf({ pixels, height: SIDE, width: SIDE, channels: 3 }));
  const found = correlation(atOnce(ranked(masks, attributions)).labels, inflateSync(Buffer.from(EXPECTED, 'base64')));
  t.diagnostic(`came: rank correlation ${found.toFixed(3)}`);
  assert.ok(found > 0.9, String(found));
});
