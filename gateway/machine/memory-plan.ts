/** What the container's memory is used for: the memory rule, put to the settings and the limit found. */
import { totalmem } from 'node:os';
import type { Log } from '../domain/request.ts';
import { IMAGES_AT_ONCE } from '../pipeline/fill.ts';
import { usableCores } from './cores.ts';
import { decoderMemory, defaultDecoders } from './decoder-memory.ts';
import { affordable, type MemorySettings, memoryNeed } from './memory-rule.ts';
import { type MemoryWatch, memoryLimitBytes, readProcessMemory, watchMemory } from './memory-watch.ts';

/** `decoders`: as many as there are cores for them where it is not set. */
export type PlanSettings = Omit<MemorySettings, 'imagesAtOnce' | 'decoders'> & {
  readonly decoders?: number | undefined;
};

export type MemoryPlan = {
  readonly memory: MemoryWatch;
  /** Of all bodies together. */
  readonly maxHeldBytes: number;
  readonly decoders: number;
  readonly pixelsAtOnce: number;
};

/**
 * Divides the container's memory between the gateway and its decoders, says when it is too small for the settings, and
 * watches the gateway's part.
 */
export function planMemory(given: PlanSettings, log: Log): MemoryPlan {
  const limitBytes = memoryLimitBytes(totalmem());
  const { decoders = defaultDecoders(usableCores()), maxImagePixels } = given;
  const settings = { ...given, decoders, imagesAtOnce: IMAGES_AT_ONCE };
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
  return { memory, maxHeldBytes: need.bodyBytes, decoders, pixelsAtOnce };
}

function memoryAdvice({ maxInFlight, maxImagePixels }: Pick<MemorySettings, 'maxInFlight' | 'maxImagePixels'>): string {
  const room = `MAX_IN_FLIGHT=${maxInFlight} MAX_IMAGE_PIXELS=${maxImagePixels / 1e6}MP would fit`;
  const how = maxInFlight > 0 ? room : 'it is too small for any';
  return `at worst the settings need more memory than the container's limit: ${how}, or raise the limit`;
}
