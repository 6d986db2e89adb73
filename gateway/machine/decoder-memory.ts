/** The memory rule of decoding, from the settings alone: what the decoders take at most, and how much may run at once. */

/** A decoder at rest, as the system counts it: Node, libvips and what the allocator keeps. */
const DECODER_BYTES = 120e6;
/** A pixel at its costliest: a progressive CMYK JPEG took 12, an interlaced PNG of 16 bits 11, WebP 8; AVIF counts double. */
const BYTES_PER_PIXEL = 13;
/** One main thread cannot keep more decoders busy. */
const MAX_DECODERS = 4;

export type DecoderMemory = {
  /** Pixels that may be decoded at once, by all decoders; never less than one picture of the largest size. */
  readonly pixelsAtOnce: number;
  /** What is needed for one such picture while the other decoders rest. */
  readonly neededBytes: number;
  /** What they take when as many pixels as may be are decoded at once. */
  readonly mostBytes: number;
};

/** The number of decoders when DECODERS is not set: one for each core, at most 4. */
export function defaultDecoders(cores: number): number {
  return Math.min(cores, MAX_DECODERS);
}

/** Works it out for `availableBytes` beside the gateway itself. */
export function decoderMemory(decoders: number, maxPixels: number, availableBytes: number): DecoderMemory {
  const restingBytes = decoders * DECODER_BYTES;
  const room = Math.floor((availableBytes - restingBytes) / BYTES_PER_PIXEL);
  const pixelsAtOnce = Math.min(decoders * maxPixels, Math.max(maxPixels, room));
  return {
    pixelsAtOnce,
    neededBytes: restingBytes + maxPixels * BYTES_PER_PIXEL,
    mostBytes: restingBytes + pixelsAtOnce * BYTES_PER_PIXEL,
  };
}
