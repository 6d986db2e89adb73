/** Resizing row by row: the rows of a picture come in, those of the resized one go out as soon as they can be computed. */
import type { Pixels, Resized } from '../../domain/picture.ts';

/** A picture whose rows will come. */
export type Source = Pick<Pixels, 'width' | 'height' | 'channels'> & {
  /** Whether its samples have 16 bits, in place of 8. */
  readonly isDeep: boolean;
};

/** Takes the next whole rows of the resized picture, one after another. They are there only during the call. */
export type Emit = (rows: Resized['data']) => void;

/** One picture on its way. */
export type Resizing = {
  /** The columns and rows that are read, each ascending. A number may be there several times. */
  readonly columns: Int32Array;
  readonly rows: Int32Array;
  /** Takes the next `count` of these rows, which have these columns. `stride`: samples from one row to the next. */
  take(data: Pixels['data'], stride: number, count: number): void;
};

export type RowResize = (source: Source, emit: Emit) => Resizing;

/** The numbers from `from` on, before `to`. */
export function range({ from, to }: { readonly from: number; readonly to: number }): Int32Array {
  const numbers = new Int32Array(to - from);
  for (let i = 0; i < numbers.length; i++) numbers[i] = from + i;
  return numbers;
}

/** Gives out the chosen rows and columns as they are. */
export function passOn({ channels }: Source, columns: Int32Array, rows: Int32Array, emit: Emit): Resizing {
  const length = columns.length * channels;
  return {
    columns,
    rows,
    take(data, stride, count) {
      if (stride === length) return emit(data.subarray(0, count * length));
      for (let row = 0; row < count; row++) emit(data.subarray(row * stride, row * stride + length));
    },
  };
}
