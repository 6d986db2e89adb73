/** Worker threads that convert large JPEGs. A picture that takes too long ends its thread; the others are not affected. */
import { Piscina } from 'piscina';
import type { EncodedPicture } from '../../domain/picture.ts';
import type { PixelType } from '../../domain/tensor.ts';
import { GatewayError, internalError } from '../../errors.ts';
import { type LossOptions, tooSlow } from '../loss.ts';
import { REST_MS } from '../rest.ts';
import type { Reply, Task } from './program.ts';

/** A thread starts within 0.2 s, later on a busy machine. */
const START_TIMEOUT_MS = 10_000;

/** A thread keeps little on its heap: tables, and arrays for the few rows that are in memory. */
const HEAP = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 6 };

export type ThreadsOptions = LossOptions & {
  /** The most threads. The caller gives each one picture at a time, so none waits here. */
  readonly count: number;
};

export type Threads = {
  /**
   * Converts a JPEG to a row of a tensor of this type.
   * @throws GatewayError of the picture; internal when it ended its thread; overloaded when no thread can start.
   */
  convert(picture: EncodedPicture, type: PixelType): Promise<Exclude<Reply, { readonly kind: unknown }>>;
  /** Ends the threads. Pictures that are being converted fail. */
  close(): void;
};

/** Starts a thread when a picture comes and none is free. */
export function createThreads({ count, timeoutMs, onLoss }: ThreadsOptions): Threads {
  let pool: Piscina | undefined;

  /** A thread that cannot start, or not load its code, never will: the next picture gets new ones. */
  function giveUp(failed: Piscina): void {
    if (pool === failed) pool = undefined;
    void failed.destroy();
  }

  function open(): Piscina {
    const filename = new URL('program.ts', import.meta.url).href;
    const threads = { minThreads: 0, maxThreads: count, idleTimeout: REST_MS };
    const opened = new Piscina({ filename, ...threads, resourceLimits: HEAP });
    return opened.on('error', () => giveUp(opened));
  }

  return {
    async convert({ bytes, spec, field }, type) {
      pool ??= open();
      const running = pool;
      const begun = new Int32Array(new SharedArrayBuffer(4));
      // The picture stays with the request, which may need it again.
      const copy = new Uint8Array(bytes);
      const ending = new AbortController();
      const stop = expire(timeoutMs, begun, () => ending.abort());
      try {
        const task: Task = { bytes: copy, spec, type, begun };
        return resultOf(
          await running.run(task, { name: 'convert', signal: ending.signal, transferList: [copy.buffer] }),
        );
      } catch (cause) {
        if (cause instanceof GatewayError) throw cause;
        if (pool !== running) throw noThread(cause);
        onLoss(ending.signal.aborted ? 'timeout' : 'crash');
        throw ending.signal.aborted ? tooSlow(field, timeoutMs, cause) : internalError(cause);
      } finally {
        stop();
      }
    },
    close: () => void pool?.destroy(),
  };
}

/** Calls `end` once a picture takes `timeoutMs`. A thread that has not begun gets the time again, for it starts. */
function expire(timeoutMs: number, begun: Int32Array, end: () => void): () => void {
  const mostMs = performance.now() + START_TIMEOUT_MS;
  // A reply that has arrived counts, also where the event loop is late: it is read before an immediate runs.
  const wait = () => setTimeout(() => setImmediate(check), timeoutMs);
  let isDone = false;
  let timer = wait();
  function check(): void {
    if (isDone) return;
    if (Atomics.load(begun, 0) === 0 && performance.now() < mostMs) timer = wait();
    else end();
  }
  return () => {
    isDone = true;
    clearTimeout(timer);
  };
}

function resultOf(reply: Reply): Exclude<Reply, { readonly kind: unknown }> {
  if ('kind' in reply) throw new GatewayError(reply.kind, reply.detail);
  return reply;
}

function noThread(cause: unknown): GatewayError {
  const detail = 'The gateway cannot decode large images at the moment; try again later.';
  return new GatewayError('overloaded', detail, { isUnavailable: true, cause });
}
