/** A place for one decoder process: starts it, and starts the next one when it has ended. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../domain/request.ts';
import type { DecoderProcess } from './process.ts';

/** A process takes half a second to start, more on a busy machine. Each failure in a row doubles the time it gets. */
const START_TIMEOUT_MS = 10_000;
/** Before the next start. Each failure in a row doubles the pause. */
const PAUSE_MS = 250;
const MAX_DOUBLINGS = 4;
/** One failure may be chance, such as a limit of processes that was reached for a moment. */
const FAILURES_OF_BROKEN = 2;

export type PlaceOptions = {
  readonly start: () => Promise<DecoderProcess>;
  /** Has a process decode a picture. Rejects when it cannot; after `timeoutMs` it is killed. */
  readonly prove: (process: DecoderProcess, timeoutMs: number) => Promise<void>;
  /** Called with each process that has decoded its picture. */
  readonly onReady: (process: DecoderProcess) => void;
  /** Called when that process has ended. */
  readonly onEnd: (process: DecoderProcess) => void;
  /** Called when the place becomes broken. */
  readonly onBroken: () => void;
  readonly log: Log;
};

export type Place = {
  /** The process that was started last. */
  readonly process: DecoderProcess | undefined;
  /** Whether its last starts have failed. It goes on trying. */
  readonly isBroken: boolean;
  /** Kills the process. A picture that it was decoding fails. */
  close(): void;
};

/** Keeps one process running until it is closed. A process that cannot start, or cannot decode, never ends the gateway. */
export function openPlace({ start, prove, onReady, onEnd, onBroken, log }: PlaceOptions): Place {
  const closing = new AbortController();
  let process: DecoderProcess | undefined;
  let failures = 0;

  /** Starts a process and waits for its end. */
  async function runOne(): Promise<void> {
    process = await start();
    if (closing.signal.aborted) process.kill();
    await prove(process, START_TIMEOUT_MS * 2 ** failures);
    failures = 0;
    onReady(process);
    const { how } = await process.ended;
    onEnd(process);
    if (!closing.signal.aborted) log.warn({ pid: process.pid, how }, 'a decoder process ended and is replaced');
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await runOne();
      } catch (cause) {
        if (closing.signal.aborted) return;
        process?.kill();
        failures = Math.min(failures + 1, MAX_DOUBLINGS);
        log.error({ cause }, 'a decoder process cannot decode; the next one is started soon');
        if (failures === FAILURES_OF_BROKEN) onBroken();
        // A sleep fails only on abort, which the condition of the loop checks.
        await sleep(PAUSE_MS * 2 ** failures, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  }

  void run();
  return {
    get process() {
      return process;
    },
    get isBroken() {
      return failures >= FAILURES_OF_BROKEN;
    },
    close() {
      closing.abort();
      process?.kill();
    },
  };
}
