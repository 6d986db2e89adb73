/**
 * Faults for a gateway under test. Load this file with `--import`; the gateway itself has no hook for faults.
 * SIGUSR2 triggers the fault that the environment selects:
 * - COLLECT: collect garbage.
 * - BLOCK_MS: block the event loop for so many milliseconds.
 * - TAKE_SHARE: allocate memory up to this share of the container's limit; the next signal frees it. LIMIT_ABOVE_MIB
 *   sets that limit, in MiB above the process's memory at its start.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const { BLOCK_MS, COLLECT, TAKE_SHARE, LIMIT_ABOVE_MIB } = process.env;

function collect(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

if (COLLECT) process.on('SIGUSR2', collect);

if (BLOCK_MS) {
  process.on('SIGUSR2', () => {
    const untilMs = performance.now() + Number(BLOCK_MS);
    while (performance.now() < untilMs);
  });
}

if (TAKE_SHARE && LIMIT_ABOVE_MIB) {
  const limitBytes = process.memoryUsage.rss() + Number(LIMIT_ABOVE_MIB) * 2 ** 20;
  process.constrainedMemory = () => limitBytes;
  let taken: Buffer[] = [];
  process.on('SIGUSR2', () => {
    const bytes = limitBytes * Number(TAKE_SHARE) - process.memoryUsage.rss();
    taken = taken.length > 0 ? [] : [Buffer.alloc(bytes, 1)];
    collect();
  });
}
