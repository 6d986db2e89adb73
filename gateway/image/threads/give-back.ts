/** Gives the memory of large pictures back to the system. V8 collects memory outside of its heap late, in a thread at rest never. */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Memory outside of the heap that a thread may keep, besides what it has from its start. */
const KEPT_BYTES = 32 * 2 ** 20;

const outsideBytes = () => getHeapStatistics().external_memory;

/** Returns a function to call after each picture. It collects the garbage, in some 5 ms, where that is worth it. */
export function createGiveBack(): () => void {
  const atStart = outsideBytes();
  let collect: (() => void) | undefined;
  return () => {
    if (outsideBytes() < atStart + KEPT_BYTES) return;
    if (!collect) {
      setFlagsFromString('--expose-gc');
      collect = runInNewContext('gc') as () => void;
    }
    collect();
  };
}
