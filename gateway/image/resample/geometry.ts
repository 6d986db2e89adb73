/** Computes the part of a picture to resize, its new size, and the window of the result that becomes the tensor. */
import type { ImageSpec } from '../../domain/picture.ts';

/** One axis of a resize, in pixels. */
export type Axis = {
  /** Length of the picture. */
  readonly input: number;
  /** The part of the picture that is resized. */
  readonly boxStart: number;
  readonly boxSize: number;
  /** The length that the box is resized to. */
  readonly resized: number;
  /** The part of the resized picture that is kept. */
  readonly windowStart: number;
  readonly windowSize: number;
};

export type Geometry = { readonly x: Axis; readonly y: Axis };
type Size = { readonly width: number; readonly height: number };

/**
 * Applies the spec's `fit` to a picture. stretch: the whole picture to the target size. crop: the largest centred box
 * of the target's shape (Keras `load_img` with keep_aspect_ratio, `smart_resize`). shorter: the shorter side to that
 * many pixels, then a centred window (torchvision `Resize` and `CenterCrop`).
 */
export function geometryOf(picture: Size, { size, fit, engine }: Pick<ImageSpec, 'size' | 'fit' | 'engine'>): Geometry {
  const [height, width] = size;
  if (fit === 'stretch') return { x: whole(picture.width, width), y: whole(picture.height, height) };
  if (fit !== 'crop') return resizedThenCropped(picture, { width, height }, fit.shorter);
  const least = engine === 'tensorflow' ? 1 : 0; // load_img allows an empty box, smart_resize does not
  const boxWidth = Math.max(least, Math.floor((picture.height * width) / height));
  const boxHeight = Math.max(least, Math.floor((picture.width * height) / width));
  return { x: boxed(picture.width, boxWidth, width), y: boxed(picture.height, boxHeight, height) };
}

/** Whether the axis is not resized. Its pass is skipped. */
export function isUntouched(axis: Axis): boolean {
  return axis.boxStart === 0 && axis.boxSize === axis.input && axis.resized === axis.input;
}

function whole(input: number, resized: number): Axis {
  return { input, boxStart: 0, boxSize: input, resized, windowStart: 0, windowSize: resized };
}

function boxed(input: number, size: number, resized: number): Axis {
  const boxSize = Math.min(input, size);
  return { ...whole(input, resized), boxStart: Math.floor((input - boxSize) / 2), boxSize };
}

function resizedThenCropped(picture: Size, target: Size, shorter: number): Geometry {
  const shortest = Math.min(picture.width, picture.height);
  const resize = (side: number) => (side === shortest ? shorter : Math.trunc((shorter * side) / shortest));
  return {
    x: windowed(picture.width, resize(picture.width), target.width),
    y: windowed(picture.height, resize(picture.height), target.height),
  };
}

function windowed(input: number, resized: number, windowSize: number): Axis {
  return { ...whole(input, resized), windowStart: roundHalfToEven((resized - windowSize) / 2), windowSize };
}

/** Rounds half to even, as Python's `round` and C's `lrintf` do. */
export function roundHalfToEven(value: number): number {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down % 2 === 0 ? down : down + 1;
}
