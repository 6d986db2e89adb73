/** Computes the part of a picture to resize, its new size, and the window of the result that becomes the tensor. */
import type { ImageSpec, Padding } from '../../domain/picture.ts';
import { GatewayError } from '../../errors.ts';

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
 * many pixels, then a centred window (torchvision `Resize` and `CenterCrop`). pad: the whole picture within the target
 * size; the result is smaller than the tensor, and padding.ts fills the rest.
 * @throws GatewayError image_too_large for a picture so long and thin that nothing of it is left within the size.
 */
export function geometryOf(picture: Size, { size, fit, engine }: Pick<ImageSpec, 'size' | 'fit' | 'engine'>): Geometry {
  const [height, width] = size;
  if (fit === 'stretch') return { x: whole(picture.width, width), y: whole(picture.height, height) };
  if (fit !== 'crop' && 'pad' in fit) return within(picture, { width, height }, engine);
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

function within(picture: Size, target: Size, engine: ImageSpec['engine']): Geometry {
  const { width, height } = engine === 'pillow' ? containedSize(picture, target) : sizeWithPad(picture, target);
  if (width < 1 || height < 1) {
    const detail = `An image of ${picture.width} x ${picture.height} pixels is too long and thin to be resized; crop it.`;
    throw new GatewayError('image_too_large', detail);
  }
  return { x: whole(picture.width, width), y: whole(picture.height, height) };
}

/** Pillow's `ImageOps.contain`, in double. */
function containedSize(picture: Size, target: Size): Size {
  const [ratio, wanted] = [picture.width / picture.height, target.width / target.height];
  if (ratio > wanted) {
    return { ...target, height: roundHalfToEven((picture.height / picture.width) * target.width) };
  }
  return ratio === wanted ? target : { ...target, width: roundHalfToEven(ratio * target.height) };
}

/** The size that `tf.image.resize_with_pad` resizes to, in float32. */
function sizeWithPad(picture: Size, target: Size): Size {
  const { width, height } = floatSizeWithPad(picture, target);
  return { width: Math.floor(width), height: Math.floor(height) };
}

function floatSizeWithPad({ width, height }: Size, target: Size): Size {
  const ratio = Math.max(Math.fround(width / target.width), Math.fround(height / target.height));
  return { width: Math.fround(width / ratio), height: Math.fround(height / ratio) };
}

/** Where a picture that fit: pad has resized is put in the tensor. */
export function placeOf(
  picture: Size,
  resized: Size,
  { size: [height, width], engine }: Pick<ImageSpec, 'size' | 'engine'>,
  { place }: Padding,
): { left: number; top: number } {
  const [right, bottom] = [width - resized.width, height - resized.height];
  if (place !== 'center') return place === 'top-left' ? { left: 0, top: 0 } : { left: right, top: bottom };
  if (engine === 'pillow') return { left: roundHalfToEven(right / 2), top: roundHalfToEven(bottom / 2) };
  const float = floatSizeWithPad(picture, { width, height });
  const half = (free: number) => Math.max(0, Math.floor(Math.fround(free) / 2));
  return { left: half(width - float.width), top: half(height - float.height) };
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
