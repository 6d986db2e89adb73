/**
 * Faults for a gateway under test, loaded into its process before it (`--import`); the product has no hook of its own.
 * SIGUSR2 stands for: collect the garbage (COLLECT), block the event loop for BLOCK_MS, or take memory up to TAKE_SHARE of the limit and, the next time,
 * give it back. LIMIT_ABOVE_MIB sets the container's limit that far above what the process needs at its start.
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
