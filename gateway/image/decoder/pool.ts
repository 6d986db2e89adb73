/** The decoder processes: a picture that crashes or hangs one costs its own request, never the gateway. */

import type { Decode } from '../../domain/picture.ts';
import type { Log } from '../../domain/request.ts';
import { GatewayError } from '../../errors.ts';
import { admit } from '../header-check.ts';
import { type Job, type Limits, type Memory, readAnswer, type SharedPixels } from './answer.ts';
import { createPlaces } from './places.ts';
import { type DecoderProcess, startDecoderProcess } from './process.ts';

export type DecoderOptions = Limits & {
  /** Processes; each decodes one picture at a time, the others wait. */
  readonly count: number;
  /** Of all pictures that are decoded at once; at least `maxPixels`. */
  readonly pixelsAtOnce: number;
  /** For one picture, decoded and resized; after it the process is killed. */
  readonly timeoutMs: number;
  /** Where the pixels lie until they are released. */
  readonly memory: Memory;
  readonly log: Log;
  /** Told of each picture that cost its process: a crash, or a kill for its time. */
  readonly onLoss: (why: 'crash' | 'timeout') => void;
};

export type Decoders = {
  readonly decode: Decode;
  /** Resolves when each process can decode; rejects where one cannot start, and with the signal's reason. */
  ready(signal: AbortSignal): Promise<void>;
  /** The processes that run, for tests and whoever has to look at them. */
  readonly pids: readonly number[];
  /** Ends the processes; what they were decoding fails. */
  close(): void;
};

/** One main thread cannot feed more of them. */
const MOST = 4;

/** As many decoders as there are cores for them. */
export function defaultDecoders(cores: number): number {
  return Math.min(cores, MOST);
}

/** Room for one process; empty only when the last one ended before it was ready. */
type Place = { process: DecoderProcess | undefined };

/** Starts the processes. `decode` rejects with the signal's reason once it is aborted, wherever the picture is. */
export function startDecoders(options: DecoderOptions): Decoders {
  const { count, pixelsAtOnce, timeoutMs, memory, log, onLoss, ...limits } = options;
  const places = Array.from({ length: count }, (): Place => ({ process: undefined }));
  const { take, give } = createPlaces(places, pixelsAtOnce);
  let closed = false;

  function fill(place: Place): DecoderProcess {
    const process = startDecoderProcess(limits);
    place.process = process;
    let wasReady = false;
    process.ready.then(
      () => {
        wasReady = true;
      },
      () => undefined, // `ended` tells
    );
    void process.ended.then((how) => {
      place.process = undefined;
      if (closed) return;
      log.warn({ pid: process.pid, how }, 'a decoder process ended; another one takes its place');
      // One that cannot start is tried again by the next picture only.
      if (wasReady) fill(place);
    });
    return process;
  }

  async function run(place: Place, job: Job, bytes: Uint8Array): Promise<SharedPixels> {
    const { process, answer } = await ask(place, job, bytes);
    return readAnswer(answer, job, { memory, read: process.read });
  }

  async function ask(place: Place, job: Job, bytes: Uint8Array) {
    let late = false;
    let timer: NodeJS.Timeout | undefined;
    try {
      const process = place.process ?? fill(place);
      await process.ready;
      timer = setTimeout(() => {
        late = true;
        process.kill();
      }, timeoutMs);
      return { process, answer: await process.ask(job, bytes) };
    } catch (cause) {
      onLoss(late ? 'timeout' : 'crash');
      throw late ? tooSlow(job.field, timeoutMs, cause) : crashed(cause);
    } finally {
      clearTimeout(timer);
    }
  }

  for (const place of places) fill(place);
  return {
    async decode(bytes, spec, field, { signal }) {
      signal.throwIfAborted();
      const { cost } = admit(bytes, { field, ...limits });
      const job: Job = { field, spec };
      const place = await take(cost, signal);
      const answered = run(place, job, bytes).finally(() => give(place, cost));
      // A client that leaves does not stop its picture: killing the process for it would cost the others more.
      return untilAborted(answered, signal);
    },
    async ready(signal) {
      const all = Promise.all(places.map((place) => (place.process ?? fill(place)).ready));
      await untilAborted(all, signal);
    },
    get pids() {
      return places.flatMap(({ process }) => process?.pid ?? []);
    },
    close() {
      closed = true;
      for (const { process } of places) process?.kill();
    },
  };
}

function tooSlow(field: string, timeoutMs: number, cause: unknown): GatewayError {
  const detail = `${field} takes more than ${timeoutMs} ms to decode; save it anew or scale it down.`;
  return new GatewayError('image_unreadable', detail, { cause });
}

function crashed(cause: unknown): GatewayError {
  return new GatewayError('internal', 'The gateway failed on this request; the log has the reason.', { cause });
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const leave = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave(); // while the place was on its way
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
