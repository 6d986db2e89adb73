/** A pool of decoder processes. A picture that crashes or hangs a decoder fails its own request, never the gateway. */

import type { Decode } from '../../domain/picture.ts';
import { checkHeader } from '../header-check.ts';
import { type BufferPool, type DecodeLimits, type Job, type PooledPixels, readReply } from './reply.ts';
import { startWorker, type Worker, type WorkerOptions } from './worker.ts';
import { createWorkerQueue } from './worker-queue.ts';

export type DecoderOptions = DecodeLimits &
  Omit<WorkerOptions, 'limits'> & {
    /** Number of processes. Each decodes one picture at a time. */
    readonly count: number;
    /** Limit on the pixels of all pictures that are decoded at once; at least `maxPixels`. */
    readonly pixelsAtOnce: number;
    /** The pool that decoded pixels are stored in until they are released. */
    readonly memory: BufferPool;
  };

export type Decoders = {
  /** Rejects with the signal's reason on abort, whether the picture waits or is being decoded. */
  readonly decode: Decode;
  /** Resolves when every process can decode. Rejects when one cannot start, and with the signal's reason on abort. */
  ready(signal: AbortSignal): Promise<void>;
  /** Ids of the running processes, for tests and benchmarks. */
  readonly pids: readonly number[];
  /** Kills the processes. Pictures that are being decoded fail. */
  close(): void;
};

/** Starts the processes. */
export function startDecoders(options: DecoderOptions): Decoders {
  const { formats, maxPixels, maxBytes, count, pixelsAtOnce, timeoutMs, memory, log, onLoss } = options;
  const limits: DecodeLimits = { formats, maxPixels, maxBytes };
  const workers = Array.from({ length: count }, () => startWorker({ limits, timeoutMs, log, onLoss }));
  const queue = createWorkerQueue(workers, pixelsAtOnce);

  async function run(worker: Worker, job: Job, bytes: Uint8Array): Promise<PooledPixels> {
    const { reply, read } = await worker.decode(job, bytes);
    return readReply(reply, job, { memory, read });
  }

  return {
    async decode(bytes, spec, field, { signal }) {
      signal.throwIfAborted();
      const { cost } = checkHeader(bytes, { field, ...limits });
      const worker = await queue.acquire(cost, signal);
      const decoded = run(worker, { field, spec }, bytes).finally(() => queue.release(worker, cost));
      // On abort the picture is decoded to its end: restarting a process would cost other requests more.
      return untilAborted(decoded, signal);
    },
    async ready(signal) {
      await untilAborted(Promise.all(workers.map((worker) => worker.ready())), signal);
    },
    get pids() {
      return workers.flatMap(({ pid }) => pid ?? []);
    },
    close() {
      for (const worker of workers) worker.close();
    },
  };
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort(); // aborted while the worker was awaited
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
