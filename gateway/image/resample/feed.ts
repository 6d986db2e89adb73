/** Resizes a picture that is decoded: gives its rows to a resize. */
import type { Pixels, Resized } from '../../domain/picture.ts';
import type { Resizing, RowResize } from './rows.ts';

/** Samples that are given at once: they stay in a core's cache, and the resize keeps few rows. */
const AT_ONCE = 2 ** 16;

/** Returns the `length` samples of the resized picture. */
export function resizeWhole(picture: Pixels, resize: RowResize, length: number): Resized['data'] {
  let resized: Resized['data'] | undefined;
  let filled = 0;
  const emit = (rows: Resized['data']) => {
    resized ??= new (rows.constructor as new (length: number) => Resized['data'])(length);
    resized.set(rows, filled);
    filled += rows.length;
  };
  feed(picture, resize({ ...picture, isDeep: picture.data instanceof Uint16Array }, emit));
  return resized ?? new Uint8Array(length);
}

/** Gives the rows and columns that the resize reads, some at a time. */
function feed(picture: Pixels, { columns, rows, take }: Resizing): void {
  const { width, channels } = picture;
  const isRange = isAscendingByOne(columns);
  const stride = isRange ? width * channels : columns.length * channels;
  const most = Math.max(1, Math.floor(AT_ONCE / stride));
  const isWhole = isRange && isAscendingByOne(rows);
  for (let first = 0; first < rows.length; first += most) {
    const some = rows.subarray(first, first + most);
    if (isWhole) take(from(picture, some[0] as number, columns[0] as number), stride, some.length);
    else if (isRange) for (const row of some) take(from(picture, row, columns[0] as number), stride, 1);
    else take(pick(picture, some, columns), stride, some.length);
  }
}

function isAscendingByOne(numbers: Int32Array): boolean {
  const first = numbers[0] as number;
  return numbers.every((number, i) => number === first + i);
}

/** The samples from a pixel on. */
function from({ width, channels, data }: Pixels, row: number, column: number): Pixels['data'] {
  return data.subarray((row * width + column) * channels);
}

/** Copies the samples of the given rows and columns. */
function pick(picture: Pixels, rows: Int32Array, columns: Int32Array): Pixels['data'] {
  const { channels, data } = picture;
  const samples = rows.length * columns.length * channels;
  const picked = data instanceof Uint8Array ? new Uint8Array(samples) : new Uint16Array(samples);
  if (channels === 3) pickRgb(picture, rows, columns, picked);
  else pickGray(picture, rows, columns, picked);
  return picked;
}

function pickRgb({ width, data }: Pixels, rows: Int32Array, columns: Int32Array, picked: Pixels['data']): void {
  const starts = columns.map((x) => 3 * x);
  let to = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = 3 * width * (rows[i] as number);
    for (let x = 0; x < starts.length; x++) {
      const at = row + (starts[x] as number);
      picked[to] = data[at] as number;
      picked[to + 1] = data[at + 1] as number;
      picked[to + 2] = data[at + 2] as number;
      to += 3;
    }
  }
}

function pickGray({ width, data }: Pixels, rows: Int32Array, columns: Int32Array, picked: Pixels['data']): void {
  let to = 0;
  for (const y of rows) {
    for (const x of columns) picked[to++] = data[y * width + x] as number;
  }
}
