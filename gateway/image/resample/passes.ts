/** The inner loops of a two-pass resize in Pillow's arithmetic: fixed point for 8-bit samples, double for 16-bit. */
import { PRECISION_BITS } from './pillow-tables.ts';
import type { Taps } from './taps.ts';

/** The part of a source that a pass reads, and the source's position in the picture. Tables count in picture pixels. */
export type Part = {
  /** Samples from one source row to the next. */
  readonly stride: number;
  readonly channels: number;
  /** Horizontal pass: source rows. Vertical pass: samples of a source row. `to` is exclusive. */
  readonly from: number;
  readonly to: number;
  /** Picture column (horizontal pass) or row (vertical pass) of the first pixel of the source. */
  readonly origin: number;
};

/** A result is good until the next pass in the same direction. */
export type Passes<S, W extends Float64Array | Int32Array> = {
  /** Resamples each row. Returns (to - from) rows with one pixel for each run of the table. */
  horizontal(source: S, part: Part, taps: Taps<W>): S;
  /** Resamples each column. Returns one row of (to - from) samples for each run of the table. */
  vertical(source: S, part: Part, taps: Taps<W>): S;
};

const HALF = 1 << (PRECISION_BITS - 1);

/** The sums fit 32 bits: the weights of a run add up to one, and overshoot is less than a factor of two. */
export const passes8: Passes<Uint8Array, Int32Array> = {
  horizontal(source, part, taps) {
    return part.channels === 3 ? horizontalRgb(source, part, taps) : horizontalGray(source, part, taps);
  },

  vertical(source, { stride, from, to, origin }, { starts, counts, weights, width }) {
    const samples = to - from;
    const target = new Uint8ClampedArray(starts.length * samples);
    const sums = new Int32Array(samples);
    for (let y = 0; y < starts.length; y++) {
      const rowAt = (j: number) => {
        const at = ((starts[y] as number) + j - origin) * stride;
        return source.subarray(at + from, at + to);
      };
      sumRows(sums, weights.subarray(y * width, y * width + (counts[y] as number)), rowAt);
      const row = target.subarray(y * samples, (y + 1) * samples);
      for (let i = 0; i < samples; i++) row[i] = (sums[i] as number) >> PRECISION_BITS;
    }
    return new Uint8Array(target.buffer);
  },
};

/** Adds four rows at a time: a quarter of the loads and stores of the sums. */
function sumRows(sums: Int32Array, weights: Int32Array, rowAt: (j: number) => Uint8Array): void {
  const fours = weights.length - (weights.length % 4);
  sums.fill(HALF);
  for (let j = 0; j < fours; j += 4) {
    const [a, b, c, d] = [rowAt(j), rowAt(j + 1), rowAt(j + 2), rowAt(j + 3)];
    const [p, q, r, s] = weights.subarray(j, j + 4) as unknown as [number, number, number, number];
    for (let i = 0; i < sums.length; i++) {
      const first = Math.imul(a[i] as number, p) + Math.imul(b[i] as number, q);
      sums[i] = (sums[i] as number) + first + Math.imul(c[i] as number, r) + Math.imul(d[i] as number, s);
    }
  }
  for (let j = fours; j < weights.length; j++) {
    const row = rowAt(j);
    const weight = weights[j] as number;
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + Math.imul(row[i] as number, weight);
  }
}

function horizontalRgb(source: Uint8Array, part: Part, taps: Taps<Int32Array>): Uint8Array {
  const { starts, counts, weights, width } = taps;
  const target = new Uint8ClampedArray((part.to - part.from) * starts.length * 3);
  let to = 0;
  for (let y = part.from; y < part.to; y++) {
    const row = y * part.stride - part.origin * 3;
    for (let x = 0; x < starts.length; x++) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let from = row + (starts[x] as number) * 3;
      const last = x * width + (counts[x] as number);
      for (let j = x * width; j < last; j++, from += 3) {
        const weight = weights[j] as number;
        red += Math.imul(source[from] as number, weight);
        green += Math.imul(source[from + 1] as number, weight);
        blue += Math.imul(source[from + 2] as number, weight);
      }
      target[to] = red >> PRECISION_BITS;
      target[to + 1] = green >> PRECISION_BITS;
      target[to + 2] = blue >> PRECISION_BITS;
      to += 3;
    }
  }
  return new Uint8Array(target.buffer);
}

function horizontalGray(source: Uint8Array, part: Part, taps: Taps<Int32Array>): Uint8Array {
  const { starts, counts, weights, width } = taps;
  const target = new Uint8ClampedArray((part.to - part.from) * starts.length);
  let to = 0;
  for (let y = part.from; y < part.to; y++) {
    const row = y * part.stride - part.origin;
    for (let x = 0; x < starts.length; x++) {
      let sum = HALF;
      const from = row + (starts[x] as number);
      for (let j = 0; j < (counts[x] as number); j++) {
        sum += Math.imul(source[from + j] as number, weights[x * width + j] as number);
      }
      target[to++] = sum >> PRECISION_BITS;
    }
  }
  return new Uint8Array(target.buffer);
}

/** One channel only: Pillow has no other 16-bit pictures. */
export const passes16: Passes<Uint16Array, Float64Array> = {
  horizontal(source, { stride, from, to, origin }, { starts, counts, weights, width }) {
    const target = new Uint16Array((to - from) * starts.length);
    for (let y = from, i = 0; y < to; y++) {
      for (let x = 0; x < starts.length; x++) {
        let sum = 0;
        const first = y * stride + (starts[x] as number) - origin;
        for (let j = 0; j < (counts[x] as number); j++) {
          sum += (source[first + j] as number) * (weights[x * width + j] as number);
        }
        target[i++] = store16(sum);
      }
    }
    return target;
  },

  vertical(source, { stride, from, to, origin }, { starts, counts, weights, width }) {
    const target = new Uint16Array(starts.length * (to - from));
    for (let y = 0, i = 0; y < starts.length; y++) {
      for (let x = from; x < to; x++) {
        let sum = 0;
        const first = ((starts[y] as number) - origin) * stride + x;
        for (let j = 0; j < (counts[y] as number); j++) {
          sum += (source[first + j * stride] as number) * (weights[y * width + j] as number);
        }
        target[i++] = store16(sum);
      }
    }
    return target;
  },
};

/** Rounds half up and clips. C rounds negative numbers in the other direction, but they become 0. */
function store16(sum: number): number {
  return Math.min(65535, Math.max(0, Math.floor(sum + 0.5)));
}
