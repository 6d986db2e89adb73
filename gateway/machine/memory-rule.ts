/** The memory rule: the most that the settings allow, from one worst request after another, against what there is. */
import { decoderMemory } from './decoder-memory.ts';

/** Node, its heap, the libraries' code and the pool of unused tensors. */
const BASE_BYTES = 200 * 2 ** 20;
/** A row of 299 x 299 x 3 float32, twice: a request that fails half-way leaves its memory to the garbage collector. */
const ROW_BYTES = 2 * 299 * 299 * 3 * 4;

/** Bodies of the largest size that are held at once; of usual ones, many more. */
const LARGEST_BODIES = 4;

export type MemorySettings = {
  readonly maxBodyBytes: number;
  readonly maxInFlight: number;
  readonly maxInstances: number;
  readonly imagesAtOnce: number;
  readonly maxImageBytes: number;
  readonly maxImagePixels: number;
  readonly decoders: number;
};

export type MemoryNeed = {
  /** Bodies that arrive, wait or are worked on: what all of them together may take. */
  readonly bodyBytes: number;
  readonly encodedBytes: number;
  readonly tensorBytes: number;
  /** The gateway's own process: the three above, and what it has anyway. */
  readonly gatewayBytes: number;
  /** The decoders: one of the largest pictures in one, the others at rest. */
  readonly decoderBytes: number;
  readonly totalBytes: number;
};

/**
 * base + bodies + lanes x one encoded image + the rows of as many full batches as fit into the lanes + the decoders with
 * one picture.
 */
export function memoryNeed(settings: MemorySettings): MemoryNeed {
  const { maxInFlight, maxInstances, imagesAtOnce, maxBodyBytes, maxImageBytes, maxImagePixels, decoders } = settings;
  const lanesOfBatch = Math.min(maxInstances, imagesAtOnce);
  const rows = Math.max(maxInFlight, Math.max(1, Math.floor(maxInFlight / lanesOfBatch)) * maxInstances);
  const bodyBytes = LARGEST_BODIES * maxBodyBytes;
  const encodedBytes = maxInFlight * maxImageBytes;
  const tensorBytes = rows * ROW_BYTES;
  const gatewayBytes = BASE_BYTES + bodyBytes + encodedBytes + tensorBytes;
  const decoderBytes = decoderMemory(decoders, maxImagePixels, 0).neededBytes;
  return { bodyBytes, encodedBytes, tensorBytes, gatewayBytes, decoderBytes, totalBytes: gatewayBytes + decoderBytes };
}

/**
 * Settings that these bytes can hold: images of as many megapixels as fit into half of what is left beside the base, and
 * then as many in flight as fit. Both stay as they are where they fit; 0 in flight where nothing helps but more memory.
 */
export function affordable(settings: MemorySettings, limitBytes: number) {
  const halfBytes = (limitBytes - BASE_BYTES) / 2;
  const decodersNeed = (pixels: number) => decoderMemory(settings.decoders, pixels, 0).neededBytes;
  let { maxImagePixels, maxInFlight } = settings;
  while (maxImagePixels > 1e6 && decodersNeed(maxImagePixels) > halfBytes) maxImagePixels -= 1e6;
  while (maxInFlight > 0 && memoryNeed({ ...settings, maxImagePixels, maxInFlight }).totalBytes > limitBytes) {
    maxInFlight -= 1;
  }
  return { maxInFlight, maxImagePixels };
}
