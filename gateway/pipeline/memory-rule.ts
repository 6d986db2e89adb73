/** The memory rule: the most that the settings allow, from one worst request after another, against what there is. */

/** Node, its heap, the libraries' code and the pool of unused tensors. */
const BASE_BYTES = 200 * 2 ** 20;
/** RGB, once from the decoder and once while it is brought to the model's channels. */
const BYTES_PER_PIXEL = 2 * 3;
/** A row of 299 x 299 x 3 float32: in its request's memory, and in gRPC's copy of that. */
const ROW_BYTES = 2 * 299 * 299 * 3 * 4;

export type MemorySettings = {
  readonly maxInFlight: number;
  readonly maxInstances: number;
  readonly imagesAtOnce: number;
  readonly maxImageBytes: number;
  readonly maxImagePixels: number;
  readonly decodesAtOnce: number;
};

export type MemoryNeed = {
  readonly encodedBytes: number;
  readonly decodedBytes: number;
  readonly tensorBytes: number;
  readonly totalBytes: number;
};

/**
 * base + lanes x one encoded image + decodes x one decoded image + the rows of as many full batches as fit into the lanes.
 * Bodies that still arrive or wait are not in it: they are seldom near their limit, and the memory watch is there for them.
 */
export function memoryNeed(settings: MemorySettings): MemoryNeed {
  const { maxInFlight, maxInstances, imagesAtOnce, maxImageBytes, maxImagePixels, decodesAtOnce } = settings;
  const lanesOfBatch = Math.min(maxInstances, imagesAtOnce);
  const rows = Math.max(maxInFlight, Math.max(1, Math.floor(maxInFlight / lanesOfBatch)) * maxInstances);
  const encodedBytes = maxInFlight * maxImageBytes;
  const decodedBytes = Math.min(decodesAtOnce, maxInFlight) * maxImagePixels * BYTES_PER_PIXEL;
  const tensorBytes = rows * ROW_BYTES;
  return {
    encodedBytes,
    decodedBytes,
    tensorBytes,
    totalBytes: BASE_BYTES + encodedBytes + decodedBytes + tensorBytes,
  };
}

/**
 * Settings that these bytes can hold: images of as many megapixels as fit into half of what is left beside the base, and
 * then as many in flight as fit. Both stay as they are where they fit; 0 in flight where nothing helps but more memory.
 */
export function affordable(settings: MemorySettings, limitBytes: number) {
  const decodeBytes = (limitBytes - BASE_BYTES) / 2 / settings.decodesAtOnce;
  const megapixels = Math.max(1, Math.floor(decodeBytes / BYTES_PER_PIXEL / 1e6));
  const maxImagePixels = Math.min(settings.maxImagePixels, megapixels * 1e6);
  let { maxInFlight } = settings;
  while (maxInFlight > 0 && memoryNeed({ ...settings, maxImagePixels, maxInFlight }).totalBytes > limitBytes) {
    maxInFlight -= 1;
  }
  return { maxInFlight, maxImagePixels };
}
