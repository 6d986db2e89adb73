/** Gives memory back once the gateway rests: V8 collects garbage only when more memory is needed. */
import { getHeapStatistics } from 'node:v8';

/** Longer than what else ends at rest: the JSON worker and the pools of tensors. */
const REST_MS = 15_000;
/** Bodies, tensors and answers that are left behind. Less is not worth a collection. */
const WORTH_BYTES = 8 * 2 ** 20;
/** Small requests and probes change the memory by less. */
const STILL_BYTES = 2 ** 20;
/** V8 starts a collection in small steps when so much more memory outside of its heap is reserved (64 MiB). */
const TRIGGER_BYTES = 128 * 2 ** 20;

const externalBytes = () => getHeapStatistics().external_memory;

/**
 * Looks every `restMs` at the memory outside of V8's heap: buffers. Where it has grown since the last collection and has not
 * changed since the last look, it is collected. Returns what ends the watch. Its timer does not keep the process alive.
 */
export function collectAtRest(restMs = REST_MS): () => void {
  let kept = externalBytes();
  let last = kept;
  const timer = setInterval(() => {
    const held = externalBytes();
    const isStill = Math.abs(held - last) < STILL_BYTES;
    last = held;
    kept = Math.min(kept, held);
    if (!isStill || held - kept < WORTH_BYTES) return;
    kept = held;
    collect();
  }, restMs).unref();
  return () => clearInterval(timer);
}

/** Has V8 collect garbage in steps of about 3 ms; `gc()` would stop the process for over 20 ms. The memory is never touched. */
function collect(): void {
  new ArrayBuffer(TRIGGER_BYTES).transfer(0);
}
