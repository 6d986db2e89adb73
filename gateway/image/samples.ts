/**
 * Converts stored samples to 8-bit RGB or gray as Pillow's `convert` or TensorFlow's decoders do, in place where
 * possible.
 */
import type { Frame, Rgb } from './header/header.ts';

/** Indices below are in range by construction. The assertion is for the type checker only. */
const at = (values: Uint8Array | Uint16Array, index: number): number => values[index] as number;

/**
 * CMYK to RGB as in Pillow (Convert.c, `cmyk2rgb`).
 * @param inks C, M, Y, K per pixel, 255 for full ink. Overwritten.
 * @returns R, G, B per pixel, at the start of the same memory.
 */
export function cmykToRgb(inks: Uint8Array): Uint8Array {
  let to = 0;
  for (let from = 0; from < inks.length; from += 4) {
    const white = 255 - at(inks, from + 3);
    for (let c = 0; c < 3; c++) {
      const ink = at(inks, from + c) * white + 128;
      inks[to++] = Math.max(0, white - (((ink >> 8) + ink) >> 8));
    }
  }
  return inks.subarray(0, to);
}

/**
 * CMYK to RGB as in TensorFlow (jpeg_mem.cc): light times light, rounded down. TensorFlow reads a file without Adobe's
 * marker as light instead of ink.
 * @param inks C, M, Y, K per pixel, 255 for full ink with Adobe's marker. Overwritten.
 */
export function cmykToRgbTensorFlow(inks: Uint8Array, adobe: boolean): Uint8Array {
  const flip = adobe ? 255 : 0;
  let to = 0;
  for (let from = 0; from < inks.length; from += 4) {
    const light = at(inks, from + 3) ^ flip;
    for (let c = 0; c < 3; c++) inks[to++] = ((at(inks, from + c) ^ flip) * light) / 255;
  }
  return inks.subarray(0, to);
}

/**
 * Divides colours by their alpha as in Pillow: `min(255, 255 c / a)`, rounded down (Convert.c).
 * @param rgba Colours that libvips divided in float32; some are one too low. Multiplying by alpha and rounding up
 * restores the stored colour. Overwritten.
 */
export function unpremultiply(rgba: Uint8Array): Uint8Array {
  let to = 0;
  for (let from = 0; from < rgba.length; from += 4) {
    const alpha = at(rgba, from + 3);
    for (let c = 0; c < 3; c++) {
      const stored = Math.ceil((at(rgba, from + c) * alpha) / 255);
      rgba[to++] = alpha === 0 ? 0 : Math.min(255, (255 * stored) / alpha);
    }
  }
  return rgba.subarray(0, to);
}

/**
 * Draws a first frame on its canvas. Pixels outside the frame and transparent pixels get `fill`: Pillow drops
 * transparency, which leaves the colour of the transparent palette entry.
 * @param rgba The decoder's canvas, `stride` pixels wide.
 */
export function frameOnCanvas(
  rgba: Uint8Array,
  stride: number,
  { width, height, frame, fill }: { width: number; height: number; frame: Frame; fill: Rgb },
): Uint8Array {
  const rgb = new Uint8Array(3 * width * height);
  rgb.set(fill);
  for (let filled = 3; filled < rgb.length; filled *= 2) rgb.copyWithin(filled, 0, filled);
  const right = Math.min(frame.left + frame.width, stride);
  for (let y = frame.top; y < frame.top + frame.height; y++) {
    for (let x = frame.left; x < right; x++) {
      const from = 4 * (y * stride + x);
      const to = 3 * (y * width + x);
      if (rgba[from + 3] !== 255) continue;
      for (let c = 0; c < 3; c++) rgb[to + c] = at(rgba, from + c);
    }
  }
  return rgb;
}

/** 16-bit gray to 8 bits by clipping, as in Pillow (Convert.c). */
export function clipGray(gray: Uint16Array): Uint8Array {
  const bytes = new Uint8Array(gray.length);
  for (let i = 0; i < gray.length; i++) bytes[i] = Math.min(255, at(gray, i));
  return bytes;
}

/** 16-bit gray to 8 bits by its high byte, as libpng does for TensorFlow (`png_set_strip_16`). */
export function stripGray(gray: Uint16Array): Uint8Array {
  const bytes = new Uint8Array(gray.length);
  for (let i = 0; i < gray.length; i++) bytes[i] = at(gray, i) >> 8;
  return bytes;
}

export function grayToRgb(gray: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(3 * gray.length);
  for (let i = 0; i < rgb.length; i++) rgb[i] = at(gray, Math.trunc(i / 3));
  return rgb;
}

/** RGB to luma in 16-bit fixed point (Convert.c, `L24`). The weights add up to one, so gray does not change. */
export function rgbToGray(rgb: Uint8Array): Uint8Array {
  let to = 0;
  for (let from = 0; from < rgb.length; from += 3) {
    rgb[to++] = (19595 * at(rgb, from) + 38470 * at(rgb, from + 1) + 7471 * at(rgb, from + 2) + 0x8000) >> 16;
  }
  return rgb.subarray(0, to);
}
