/** The memory rule of decoding, from the settings alone: what the decoders take at most, and how much may run at once. */

/** A decoder process at rest, as the system counts it: Node, libvips and what the allocator keeps. */
const PROCESS_BYTES = 120e6;
/** A thread for large JPEGs at rest, with the memory that it keeps from picture to picture. */
const THREAD_BYTES = 40e6;
/**
 * A pixel at its costliest: a progressive CMYK JPEG took 12, an interlaced PNG of 16 bits 11, WebP 8; AVIF counts double. In a
 * thread, a JPEG takes 6 if it is progressive, and 1 if not: it counts half.
 */
const BYTES_PER_PIXEL = 13;
/** One main thread cannot keep more decoders busy. */
const MAX_DECODERS = 4;

export type DecoderMemory = {
  /** Pixels that threads and processes may decode at once; never less than one picture of the largest size. */
  readonly pixelsAtOnce: number;
  /** What is needed for one such picture while the other threads and processes rest. */
  readonly neededBytes: number;
  /** What they take when as many pixels as may be are decoded at once. */
  readonly mostBytes: number;
};

/** DECODERS when it is not set: one for each core, at most 4. */
export function defaultDecoders(cores: number): number {
  return Math.min(cores, MAX_DECODERS);
}

/** Works it out for `availableBytes` beside the gateway itself. */
export function decoderMemory(decoders: number, maxPixels: number, availableBytes: number): DecoderMemory {
  const restingBytes = decoders * (PROCESS_BYTES + THREAD_BYTES);
  const room = Math.floor((availableBytes - restingBytes) / BYTES_PER_PIXEL);
  const pixelsAtOnce = Math.min(decoders * maxPixels, Math.max(maxPixels, room));
  return {
    pixelsAtOnce,
    neededBytes: restingBytes + maxPixels * BYTES_PER_PIXEL,
    mostBytes: restingBytes + pixelsAtOnce * BYTES_PER_PIXEL,
  };
}
