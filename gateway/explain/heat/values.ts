/** The attribution at each pixel of a picture, for people to look at. */
import type { Grid, Regions } from '../../domain/explanation.ts';
import type { Steps } from '../../domain/steps.ts';

/** Of the largest values so many are shown as the largest: one pixel would make all others pale. */
const CLIPPED = 0.01;
/** Of more values every second, third and so on is looked at: sorting all would take too long. */
const MOST_SORTED = 2 ** 13;
/** Pixels of one step: about a millisecond. */
const PIXELS_OF_STEP = 2 ** 14;

export type PixelValues = {
  /** Row-major, from -1 to 1. */
  readonly values: Float32Array;
  /** The attribution that is shown as 1. */
  readonly scale: number;
};

/** The values of the pixels. Cells of a grid go over into each other; regions have sharp borders. */
export function* pixelValues(
  attributions: Grid | Regions,
  { height, width }: { readonly height: number; readonly width: number },
): Steps<PixelValues> {
  const scale = scaleOf(attributions.values);
  const values = new Float32Array(height * width);
  const valueAt = attributions.kind === 'grid' ? gridAt(attributions, height, width) : regionAt(attributions);
  for (let pixel = 0; pixel < values.length; pixel += 1) {
    const value = valueAt(pixel) / scale;
    values[pixel] = Math.min(1, Math.max(-1, value));
    if (pixel % PIXELS_OF_STEP === PIXELS_OF_STEP - 1) yield;
  }
  return { values, scale };
}

function scaleOf(values: Float64Array): number {
  const every = Math.ceil(values.length / MOST_SORTED);
  const sizes = values
    .filter((_, index) => index % every === 0)
    .map(Math.abs)
    .sort();
  const scale = sizes[Math.floor((sizes.length - 1) * (1 - CLIPPED))] ?? 0;
  return scale > 0 ? scale : (sizes.at(-1) ?? 0) || 1;
}

function regionAt({ labels, values }: Regions): (pixel: number) => number {
  return (pixel) => values[labels[pixel] as number] as number;
}

/** Bilinear between the middles of the cells. */
function gridAt({ rows, columns, values }: Grid, height: number, width: number): (pixel: number) => number {
  const at = (row: number, column: number) => values[row * columns + column] as number;
  return (pixel) => {
    const y = within(((Math.floor(pixel / width) + 0.5) * rows) / height - 0.5, rows - 1);
    const x = within((((pixel % width) + 0.5) * columns) / width - 0.5, columns - 1);
    const [top, left] = [Math.floor(y), Math.floor(x)];
    const [bottom, right] = [Math.min(rows - 1, top + 1), Math.min(columns - 1, left + 1)];
    const upper = at(top, left) + (x - left) * (at(top, right) - at(top, left));
    const lower = at(bottom, left) + (x - left) * (at(bottom, right) - at(bottom, left));
    return upper + (y - top) * (lower - upper);
  };
}

function within(value: number, most: number): number {
  return Math.min(most, Math.max(0, value));
}
