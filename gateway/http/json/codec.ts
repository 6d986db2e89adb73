/** Reads and writes JSON: small bodies and answers at once, large ones in a worker thread. */
import { Piscina } from 'piscina';
import { createSemaphore } from '../../domain/semaphore.ts';
import { abortError, GatewayError } from '../../errors.ts';
import { decodeJson, type JsonFormat, type JsonText, readJson, writeText } from './format.ts';
import type { ReadTask, Reply, WriteTask } from './worker.ts';

/**
 * What is read on the main thread: at most 5 ms of it. Measured: 1.5 ms for 1 MB of base64, 2 ms for 1,000 objects
 * with different keys, which is the slowest JSON.
 */
const SMALL = { bytes: 512 * 1024, values: 1000 };
/** What is written on the main thread: 0.3 µs for each number. */
const SMALL_ANSWER_BYTES = 32 * 1024;
/** A worker without work for so long ends, and gives its memory back. */
const IDLE_MS = 10_000;

/** An error loses its code between threads. */
const NO_DESCRIPTOR = /EMFILE|ENFILE|too many open files/i;

/** `values`: as the scanner counted them. The memory of a large body is moved to the worker: share it with nothing. */
export type ReceivedJson = { readonly body: Buffer; readonly values: number };

export type JsonCodec = {
  /** The heap of the worker. A body that may take more must not be read. */
  readonly maxHeapBytes: number;
  /** Rejects when the signal aborts while the body waits for the worker. */
  read<Options, Result>(
    received: ReceivedJson,
    format: JsonFormat<Options, Result>,
    options: Options,
    signal: AbortSignal,
  ): Promise<Result>;
  /** The JSON of a value as UTF-8. Its `memory` is moved to the worker if it is large. Throws `overloaded` too. */
  write<Value>(value: Value, text: JsonText<Value>): Promise<Uint8Array>;
  close(): void;
};

/**
 * Creates the codec. Its worker starts with the first large body. `maxHeapBytes` bounds the worker's memory. `takeMemory` counts
 * a large value that waits to be written, throws `overloaded` where it does not fit, and returns what ends the count.
 */
export function createJsonCodec(
  maxHeapBytes: number,
  takeMemory: (bytes: number) => () => void = () => () => undefined,
): JsonCodec {
  let pool: Piscina | undefined;
  const turns = createSemaphore(1);
  /** A worker that could not start, or not load its code, never will: the next body gets a new one. */
  function giveUp(failed: Piscina): void {
    if (pool === failed) pool = undefined;
    void failed.destroy();
  }
  async function runTask({ name, task, moved }: Run): Promise<Reply> {
    const running =
      pool ??
      openPool(maxHeapBytes).on('error', function (this: Piscina) {
        giveUp(this);
      });
    pool = running;
    try {
      return await running.run(task, { name, transferList: [...moved] });
    } catch (cause) {
      if (isOutOfMemory(cause)) {
        const detail = 'The JSON takes more memory than there is for it; send less at once (MAX_BODY_BYTES).';
        throw new GatewayError('body_too_large', detail, { cause });
      }
      if (NO_DESCRIPTOR.test(String(cause))) giveUp(running);
      if (pool === running) throw cause;
      const detail = 'The gateway cannot read large JSON at the moment; try again later.';
      throw new GatewayError('overloaded', detail, { isUnavailable: true, cause });
    }
  }
  /** A request that ends leaves the queue, and its memory is free. One that is being worked on is finished: a thread costs more. */
  async function runInTurn(run: Run, signal: AbortSignal): Promise<unknown> {
    const end = await turns.acquire('', signal).catch(() => Promise.reject(abortError(signal)));
    try {
      return resultOf(await runTask(run));
    } finally {
      end();
    }
  }
  return {
    maxHeapBytes,
    async read({ body, values }, format, options, signal) {
      const isSmall = body.length <= SMALL.bytes && values <= SMALL.values;
      if (isSmall) return readJson(decodeJson(body, format.example), format, options);
      const task = { module: format.module, body, options };
      return (await runInTurn({ name: 'readInWorker', task, moved: [body.buffer as ArrayBuffer] }, signal)) as never;
    },
    async write(value, text) {
      const { module, bytes, memory } = text;
      if (bytes(value) <= SMALL_ANSWER_BYTES) return writeText(text, value);
      const release = takeMemory(bytes(value));
      try {
        const run = { name: 'writeInWorker', task: { module, value }, moved: memory(value) };
        return (await runInTurn(run, new AbortController().signal)) as Uint8Array;
      } finally {
        release();
      }
    },
    close: () => void pool?.destroy(),
  };
}

type Run = { readonly name: string; readonly task: ReadTask | WriteTask; readonly moved: readonly ArrayBuffer[] };

function resultOf(reply: Reply): unknown {
  if ('kind' in reply) throw new GatewayError(reply.kind, reply.detail, { cause: reply.cause });
  return reply.result;
}

/** What a format makes of the parsed values takes memory too. Node ends the worker where it can, and starts another one. */
function isOutOfMemory(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

/**
 * One thread, which gets one body at a time: the next ones wait as counted bytes, so JSON takes the memory of one body beside them. The heap has room for
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
