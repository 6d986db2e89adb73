/** Reads JSON bodies: small ones at once, large ones in a worker thread. */
import { Piscina } from 'piscina';
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

/** An error loses its code between threads. */
const NO_DESCRIPTOR = /EMFILE|ENFILE|too many open files/i;

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
  let pool: Piscina | undefined;
  /** A worker that could not start, or not load its code, never will: the next body gets a new one. */
  function giveUp(failed: Piscina): void {
    if (pool === failed) pool = undefined;
    void failed.destroy();
  }
  async function runTask(task: Task): Promise<Reply> {
    const running =
      pool ??
      openPool(maxHeapBytes).on('error', function (this: Piscina) {
        giveUp(this);
      });
    pool = running;
    try {
      return await running.run(task, { name: 'readInWorker', transferList: [task.body.buffer as ArrayBuffer] });
    } catch (cause) {
      if (NO_DESCRIPTOR.test(String(cause))) giveUp(running);
      if (pool === running) throw cause;
      const detail = 'The gateway cannot read large JSON at the moment; try again later.';
      throw new GatewayError('overloaded', detail, { isUnavailable: true, cause });
    }
  }
  return {
    async read(body, values, format, options) {
      const isSmall = body.length <= SMALL.bytes && values <= SMALL.values;
      if (isSmall) return readJson(decodeJson(body, format.example), format, options);
      const reply = await runTask({ module: format.module, body, options });
      if ('kind' in reply) throw new GatewayError(reply.kind, reply.detail, { cause: reply.cause });
      return reply.result as never;
    },
    close: () => void pool?.destroy(),
  };
}

/**
 * One thread: the next body waits as counted bytes, so JSON takes the memory of one body beside them. The heap has room for
 * the text and the strings of the largest body; what else its values take is little, by the limit of the format.
 */
function openPool(maxHeapBytes: number): Piscina {
  return new Piscina({
    filename: new URL('worker.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: IDLE_MS,
    resourceLimits: { maxOldGenerationSizeMb: maxHeapBytes / 2 ** 20, maxYoungGenerationSizeMb: 24 },
  });
}
