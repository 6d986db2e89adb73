/** Decodes pictures in processes. A picture that crashes or hangs a process fails its own request, never the gateway. */
import type { Log } from '../../domain/request.ts';
import { GatewayError, internalError } from '../../errors.ts';
import { type LossOptions, tooSlow } from '../loss.ts';
import { PIXEL_SPEC, pixelOf } from '../pixel.ts';
import type { Turns } from '../turns.ts';
import { type DecoderProcess, ProcessEnded } from './process.ts';
import { createProcesses } from './processes.ts';
import { type BufferPool, type DecodeLimits, type Job, type PooledPixels, readReply } from './reply.ts';

export type DecoderOptions = DecodeLimits &
  LossOptions & {
    /** The most processes. Each decodes one picture at a time. */
    readonly count: number;
    /** Bounds the pictures that are decoded at once, here and elsewhere. */
    readonly turns: Turns;
    /** The pool that decoded pixels are stored in until they are released. */
    readonly memory: BufferPool;
    readonly log: Log;
    /** How long a process without work is kept. */
    readonly restMs?: number;
  };

export type Decoders = {
  /**
   * Decodes and resizes a picture. `cost`: its pixels, weighted. On abort it rejects with the signal's reason while the
   * picture waits; a picture that has begun is decoded to its end.
   * @throws GatewayError of the picture; internal when it ended its process; overloaded while no process can decode.
   */
  decode(job: Job, bytes: Uint8Array, cost: number, signal: AbortSignal): Promise<PooledPixels>;
  /** Starts a process if none was started. */
  start(): void;
  /** Why no picture can be decoded: no process works any more. Undefined while all is well. */
  readonly problem: string | undefined;
  /** Whether a process has decoded a picture. */
  readonly hasDecoded: boolean;
  /** Ids of the running processes, for tests and benchmarks. */
  readonly pids: readonly number[];
  /** Kills the processes. Pictures that are being decoded fail. */
  close(): void;
};

/** Processes that a picture is given to, at most. Where the first one ended by itself, the picture is not the reason. */
const TRIES = 2;

/** Starts no process yet. */
export function createDecoders(options: DecoderOptions): Decoders {
  const { formats, maxPixels, maxBytes, count, turns, timeoutMs, memory, restMs, log } = options;
  const limits: DecodeLimits = { formats, maxPixels, maxBytes };
  const proof = pixelOf(formats);
  const onNoRoom = createWarning(log);
  let hasDecoded = false;

  async function run(process: DecoderProcess, job: Job, bytes: Uint8Array, limitMs: number): Promise<PooledPixels> {
    const reply = await process.ask(job, bytes, limitMs);
    return readReply(reply, job, { memory, read: process.read, onNoRoom });
  }

  async function prove(process: DecoderProcess, limitMs: number): Promise<void> {
    (await run(process, { field: 'proof', spec: PIXEL_SPEC }, proof, limitMs)).release();
    hasDecoded = true;
  }

  const processes = createProcesses({ limits, count, prove, broken, restMs, log });
  return {
    async decode(job, bytes, cost, signal) {
      for (let tries = 1; ; tries += 1) {
        if (processes.isBroken) throw broken();
        const process = await processes.acquire(signal);
        try {
          return await turns.take(cost, signal, () => run(process, job, bytes, timeoutMs));
        } catch (thrown) {
          if (!(thrown instanceof ProcessEnded)) throw thrown;
          if (!thrown.wasDecoding && tries < TRIES) continue;
          options.onLoss(thrown.isTimeout ? 'timeout' : 'crash');
          throw thrown.isTimeout ? tooSlow(job.field, timeoutMs, thrown) : internalError(thrown);
        } finally {
          processes.release(process);
        }
      }
    },
    start: processes.start,
    get problem() {
      return processes.isBroken ? BROKEN : undefined;
    },
    get hasDecoded() {
      return hasDecoded;
    },
    get pids() {
      return processes.pids;
    },
    close: processes.close,
  };
}

const BROKEN = 'no image can be decoded: no decoder process works';

function broken(): GatewayError {
  return new GatewayError('overloaded', 'The gateway cannot decode images at the moment; try again later.', {
    isUnavailable: true,
    cause: new Error(BROKEN),
  });
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
