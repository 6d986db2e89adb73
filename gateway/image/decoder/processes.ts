/** The decoder processes: each starts when a picture finds no free one, and ends after some minutes without a picture. */
import type { Log } from '../../domain/request.ts';
import { REST_MS } from '../rest.ts';
import { createWorkerQueue } from '../worker-queue.ts';
import { openPlace, type Place } from './place.ts';
import { type DecoderProcess, startDecoderProcess } from './process.ts';
import type { DecodeLimits } from './reply.ts';

export type ProcessesOptions = {
  readonly limits: DecodeLimits;
  /** The most processes. */
  readonly count: number;
  /** Has a process decode a picture. Rejects when it cannot; after `timeoutMs` it is killed. */
  readonly prove: (process: DecoderProcess, timeoutMs: number) => Promise<void>;
  /** The error for pictures that wait when no process is left. */
  readonly broken: () => Error;
  /** How long a process without work is kept. */
  readonly restMs: number | undefined;
  readonly log: Log;
};

export type Processes = {
  /** Waits for a free process, in a FIFO queue. Rejects with the signal's reason on abort. */
  acquire(signal: AbortSignal): Promise<DecoderProcess>;
  /** Gives a process back. One that has ended is replaced. */
  release(process: DecoderProcess): void;
  /** Starts a process if none was started. */
  start(): void;
  /** Whether no process works: the last starts of each have failed. They go on trying. */
  readonly isBroken: boolean;
  /** Ids of the running processes. */
  readonly pids: readonly number[];
  /** Kills the processes. */
  close(): void;
};

export function createProcesses(options: ProcessesOptions): Processes {
  const { limits, count, prove, broken, restMs = REST_MS, log } = options;
  const queue = createWorkerQueue<DecoderProcess>(Number.POSITIVE_INFINITY);
  const places = new Set<Place>();
  const resting = new Map<DecoderProcess, NodeJS.Timeout>();
  const isBroken = () => places.size > 0 && [...places].every((place) => place.isBroken);

  function openNext(): void {
    const place = openPlace({
      start: () => startDecoderProcess(limits),
      prove,
      onReady: release,
      onEnd: leave,
      onBroken: () => isBroken() && queue.refuse(broken()),
      log,
    });
    places.add(place);
  }

  function release(process: DecoderProcess): void {
    const place = [...places].find((each) => each.process === process);
    if (!place || !process.isUsable) return;
    const end = () => {
      leave(process);
      places.delete(place);
      place.close();
    };
    resting.set(process, setTimeout(end, restMs).unref());
    queue.add(process);
  }

  function leave(process: DecoderProcess): void {
    clearTimeout(resting.get(process));
    resting.delete(process);
    queue.remove(process);
  }

  return {
    async acquire(signal) {
      if (!queue.hasWorker && places.size < count) openNext();
      const process = await queue.acquire(0, signal);
      clearTimeout(resting.get(process));
      return process;
    },
    release,
    start() {
      if (places.size === 0) openNext();
    },
    get isBroken() {
      return isBroken();
    },
    get pids() {
      return [...places].flatMap(({ process }) => (process?.isUsable ? (process.pid ?? []) : []));
    },
    close() {
      for (const place of places) place.close();
    },
  };
}
