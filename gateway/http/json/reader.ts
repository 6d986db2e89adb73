/** Reads JSON bodies: small ones at once, large ones in a worker thread. */
import type { Piscina } from 'piscina';
import { GatewayError } from '../../errors.ts';
import { decodeJson, type JsonFormat, readJson } from './format.ts';
import type { Reply, Task } from './worker.ts';

/**
 * What is read on the main thread: at most 5 ms of it. Measured: 1.5 ms for 1 MB of base64, 2 ms for 1,000 objects with a
 * key of their own each, which is the slowest JSON.
 */
const SMALL = { bytes: 512 * 1024, values: 1000 };
/** A worker without work for so long ends, and gives its memory back. */
const IDLE_MS = 10_000;

export type JsonReader = {
  /** `values`: as the scanner counted them. A large body must have memory of its own: it is moved to the worker. */
  read<Options, Result>(
    body: Buffer,
    values: number,
    format: JsonFormat<Options, Result>,
    options: Options,
  ): Promise<Result>;
  close(): void;
};

/** Creates the reader. Its worker starts with the first large body. `maxHeapBytes` bounds the worker's memory. */
export function createJsonReader(maxHeapBytes: number): JsonReader {
  let pool: Promise<Piscina> | undefined;
  return {
    async read(body, values, format, options) {
      const isSmall = body.length <= SMALL.bytes && values <= SMALL.values;
      if (isSmall) return readJson(decodeJson(body, format.example), format, options);
      pool ??= openPool(maxHeapBytes);
      const task: Task = { module: format.module, body, options };
      const reply: Reply = await (await pool).run(task, {
        name: 'readInWorker',
        transferList: [body.buffer as ArrayBuffer],
      });
      if ('kind' in reply) throw new GatewayError(reply.kind, reply.detail, { cause: reply.cause });
      return reply.result as never;
    },
    close: () => void pool?.then((opened) => opened.destroy()),
  };
}

/**
 * One thread: the next body waits as counted bytes. The memory that JSON takes beside its body is that of one body. The
 * limit of the heap is far above what the limits of values allow.
 */
async function openPool(maxHeapBytes: number): Promise<Piscina> {
  const { Piscina } = await import('piscina');
  return new Piscina({
    filename: new URL('worker.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: IDLE_MS,
    resourceLimits: { maxOldGenerationSizeMb: maxHeapBytes / 2 ** 20, maxYoungGenerationSizeMb: 24 },
  });
}
