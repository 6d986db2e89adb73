/** Divides the container's memory between the gateway and its decoders, by the memory rule. */
import { totalmem } from 'node:os';
import type { Log } from '../domain/request.ts';
import { decoderMemory } from './decoder-memory.ts';
import { affordable, type MemorySettings, memoryNeed } from './memory-rule.ts';
import { type MemoryWatch, memoryLimitBytes, readProcessMemory, watchMemory } from './memory-watch.ts';

/** The share of all fetched images that one request may hold. */
const REQUEST_SHARE = 1 / 4;

export type MemoryPlan = {
  readonly memory: MemoryWatch;
  /** Bounds all bodies together. */
  readonly maxHeldBytes: number;
  /** Bounds the heap of the thread that parses large JSON. */
  readonly maxJsonBytes: number;
  /** Bounds the answers of the model servers together. */
  readonly maxAnswerBytes: number;
  /** Bounds the fetched images of all requests together, and of one request. */
  readonly maxFetchedBytes: number;
  readonly maxFetchedBytesOfRequest: number;
  readonly decoders: number;
  readonly pixelsAtOnce: number;
};

/** Plans the memory, warns where the container's limit is too low for the settings, and watches the gateway's part. */
export function planMemory(settings: MemorySettings, log: Log): MemoryPlan {
  const limitBytes = memoryLimitBytes(totalmem());
  const { decoders, maxImagePixels, maxImageBytes } = settings;
  const need = memoryNeed(settings);
  if (limitBytes !== undefined && need.totalBytes > limitBytes) {
    log.warn({ limitBytes, ...need }, memoryAdvice(affordable(settings, limitBytes)));
  }
  const availableBytes = (limitBytes ?? totalmem()) - need.gatewayBytes;
  const { pixelsAtOnce, mostBytes } = decoderMemory(decoders, maxImagePixels, availableBytes);
  const ownBytes = limitBytes && Math.max(limitBytes / 2, limitBytes - mostBytes);
  const memory = watchMemory(
    () => readProcessMemory(ownBytes),
    (state, share) => log.warn({ state, share }, 'memory'),
  );
  return {
    memory,
    maxHeldBytes: need.bodyBytes,
    maxJsonBytes: need.jsonBytes,
    maxAnswerBytes: need.answerBytes,
    maxFetchedBytes: need.fetchedBytes,
    maxFetchedBytesOfRequest: Math.max(maxImageBytes, need.fetchedBytes * REQUEST_SHARE),
    decoders,
    pixelsAtOnce,
  };
}

function memoryAdvice({ maxConnections, maxInFlight, maxImagePixels }: ReturnType<typeof affordable>): string {
  const megapixels = maxImagePixels / 1e6;
  const room = `MAX_CONNECTIONS=${maxConnections} MAX_IN_FLIGHT=${maxInFlight} MAX_IMAGE_PIXELS=${megapixels}MP would fit`;
  const how = maxInFlight > 0 ? room : 'it is too small for any';
  return `at worst the settings need more memory than the container's limit: ${how}, or raise the limit`;
}
