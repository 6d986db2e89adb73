/** A pool of decoder processes. A picture that crashes or hangs a decoder fails its own request, never the gateway. */

import type { Decode, ImageSpec } from '../../domain/picture.ts';
import type { Log } from '../../domain/request.ts';
import { GatewayError, internalError } from '../../errors.ts';
import { checkHeader } from '../header-check.ts';
import { pixelOf } from '../pixel.ts';
import { openPlace } from './place.ts';
import { type DecoderProcess, ProcessEnded, startDecoderProcess } from './process.ts';
import { type BufferPool, type DecodeLimits, type Job, type PooledPixels, readReply } from './reply.ts';
import { createWorkerQueue } from './worker-queue.ts';

export type DecoderOptions = DecodeLimits & {
  /** Number of processes. Each decodes one picture at a time. */
  readonly count: number;
  /** Limit on the pixels of all pictures that are decoded at once; at least `maxPixels`. */
  readonly pixelsAtOnce: number;
  /** For one picture, decoded and resized. After it the process is killed. */
  readonly timeoutMs: number;
  /** The pool that decoded pixels are stored in until they are released. */
  readonly memory: BufferPool;
  readonly log: Log;
  /** Called for each picture that ended its process: by a crash, or by a kill after `timeoutMs`. */
  readonly onLoss: (why: 'crash' | 'timeout') => void;
};

export type Decoders = {
  /**
   * Rejects with the signal's reason on abort, whether the picture waits or is being decoded.
   * @throws GatewayError of the picture; internal when it ended its process; overloaded while no process can decode.
   */
  readonly decode: Decode;
  /** Why no picture can be decoded: none has been yet, or no process works any more. Undefined while all is well. */
  readonly problem: string | undefined;
  /** Ids of the running processes, for tests and benchmarks. */
  readonly pids: readonly number[];
  /** Kills the processes. Pictures that are being decoded fail. */
  close(): void;
};

/** What each process decodes before it gets a request's picture: one pixel. It also compiles the code. */
const PROOF: ImageSpec = {
  size: [8, 8],
  engine: 'pillow',
  resize: 'bilinear',
  antialias: true,
  fit: 'stretch',
  scale: 'none',
  color: 'rgb',
  layout: 'NHWC',
  pillow: 13,
};

/** Processes that a picture is given to, at most. Where the first one ended by itself, the picture is not the reason. */
const TRIES = 2;

/** Starts the processes. */
export function startDecoders(options: DecoderOptions): Decoders {
  const { formats, maxPixels, maxBytes, count, pixelsAtOnce, timeoutMs, memory, log } = options;
  const limits: DecodeLimits = { formats, maxPixels, maxBytes };
  const queue = createWorkerQueue<DecoderProcess>(pixelsAtOnce);
  const proof = pixelOf(formats);
  let hasDecoded = false;
  const isBroken = () => places.every((place) => place.isBroken);
  const onNoRoom = createWarning(log);

  async function run(process: DecoderProcess, job: Job, bytes: Uint8Array, limitMs: number): Promise<PooledPixels> {
    const reply = await process.ask(job, bytes, limitMs);
    return readReply(reply, job, { memory, read: process.read, onNoRoom });
  }

  const places = Array.from({ length: count }, () =>
    openPlace({
      start: () => startDecoderProcess(limits),
      async prove(process, limitMs) {
        (await run(process, { field: 'proof', spec: PROOF }, proof, limitMs)).release();
        hasDecoded = true;
      },
      onReady: queue.add,
      onEnd: queue.remove,
      onBroken: () => isBroken() && queue.refuse(broken()),
      log,
    }),
  );

  async function decode(job: Job, bytes: Uint8Array, cost: number, signal: AbortSignal): Promise<PooledPixels> {
    for (let tries = 1; ; tries += 1) {
      if (isBroken()) throw broken();
      const process = await queue.acquire(cost, signal);
      try {
        return await run(process, job, bytes, timeoutMs);
      } catch (thrown) {
        if (!(thrown instanceof ProcessEnded)) throw thrown;
        if (!thrown.wasDecoding && tries < TRIES) continue;
        options.onLoss(thrown.isTimeout ? 'timeout' : 'crash');
        throw thrown.isTimeout ? tooSlow(job.field, timeoutMs, thrown) : internalError(thrown);
      } finally {
        queue.release(cost);
        if (process.isUsable) queue.add(process);
      }
    }
  }

  return {
    async decode(bytes, spec, field, { signal }) {
      signal.throwIfAborted();
      const { cost } = checkHeader(bytes, { field, ...limits });
      // On abort the picture is decoded to its end: restarting a process would cost other requests more.
      return untilAborted(decode({ field, spec }, bytes, cost, signal), signal);
    },
    get problem() {
      if (isBroken()) return BROKEN;
      return hasDecoded ? undefined : 'no image has been decoded yet: the decoder processes are starting';
    },
    get pids() {
      return places.flatMap(({ pid }) => pid ?? []);
    },
    close() {
      for (const place of places) place.close();
    },
  };
}

const BROKEN = 'no image can be decoded: no decoder process works';

function broken(): GatewayError {
  return new GatewayError('overloaded', 'The gateway cannot decode images at the moment; try again later.', {
    isUnavailable: true,
    cause: new Error(BROKEN),
  });
}

function tooSlow(field: string, timeoutMs: number, cause: unknown): GatewayError {
  const detail = `${field} takes more than ${timeoutMs} ms to decode; save it again or scale it down.`;
  return new GatewayError('image_unreadable', detail, { cause });
}

/** Warns once. */
function createWarning(log: Log): () => void {
  let hasWarned = false;
  return () => {
    if (hasWarned) return;
    hasWarned = true;
    log.warn({}, 'the shared memory of the decoders (/dev/shm) is full: pixels take a slower way; enlarge it');
  };
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort(); // aborted while the header was checked
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
