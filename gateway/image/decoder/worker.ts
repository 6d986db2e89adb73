/** A decoder worker: one process that is replaced when it ends, and the time limit of each picture. */
import type { Log } from '../../domain/request.ts';
import { GatewayError, internalError } from '../../errors.ts';
import { type DecoderProcess, startDecoderProcess } from './process.ts';
import type { DecodeLimits, Job } from './reply.ts';

export type WorkerOptions = {
  readonly limits: DecodeLimits;
  /** For one picture, decoded and resized. After it the process is killed. */
  readonly timeoutMs: number;
  readonly log: Log;
  /** Called for each picture that ended its process: by a crash, or by a kill after `timeoutMs`. */
  readonly onLoss: (why: 'crash' | 'timeout') => void;
};

/** The reply to a job, not yet validated. `read` copies its pixels and works until the next job. */
export type RawReply = { readonly reply: unknown; readonly read: (bytes: Uint8Array) => void };

export type Worker = {
  readonly pid: number | undefined;
  /** Resolves when the process can decode; rejects when it ends before. */
  ready(): Promise<void>;
  /**
   * Decodes one picture at a time.
   * @throws GatewayError image_unreadable after `timeoutMs`; internal when the process ends.
   */
  decode(job: Job, bytes: Uint8Array): Promise<RawReply>;
  /** Kills the process. A picture that it was decoding fails. */
  close(): void;
};

/** Starts a worker. A process that cannot start is started again by the next picture only, not in a loop. */
export function startWorker({ limits, timeoutMs, log, onLoss }: WorkerOptions): Worker {
  let process: DecoderProcess | undefined;
  let isClosed = false;

  function start(): DecoderProcess {
    const started = startDecoderProcess(limits);
    process = started;
    let wasReady = false;
    started.ready.then(
      () => {
        wasReady = true;
      },
      () => undefined, // `ended` resolves too
    );
    void started.ended.then((how) => {
      process = undefined;
      if (isClosed) return;
      log.warn({ pid: started.pid, how }, 'a decoder process ended and is replaced');
      if (wasReady) start();
    });
    return started;
  }

  start();
  return {
    get pid() {
      return process?.pid;
    },
    ready: () => (process ?? start()).ready,
    async decode(job, bytes) {
      let timer: NodeJS.Timeout | undefined;
      let timedOut = false;
      try {
        const running = process ?? start();
        await running.ready;
        timer = setTimeout(() => {
          timedOut = true;
          running.kill();
        }, timeoutMs);
        return { reply: await running.ask(job, bytes), read: running.read };
      } catch (cause) {
        onLoss(timedOut ? 'timeout' : 'crash');
        throw timedOut ? tooSlow(job.field, timeoutMs, cause) : internalError(cause);
      } finally {
        clearTimeout(timer);
      }
    },
    close() {
      isClosed = true;
      process?.kill();
    },
  };
}

function tooSlow(field: string, timeoutMs: number, cause: unknown): GatewayError {
  const detail = `${field} takes more than ${timeoutMs} ms to decode; save it again or scale it down.`;
  return new GatewayError('image_unreadable', detail, { cause });
}
