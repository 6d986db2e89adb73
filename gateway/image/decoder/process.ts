/** One decoder process: decodes one picture at a time, and is killed when it takes too long. */
import { closeSync } from 'node:fs';
import { messageStart } from './messages.ts';
import type { DecodeLimits, Job } from './reply.ts';
import { isMarkedDecoding, openSharedFile, readPixels } from './shared-file.ts';
import { type Program, spawnProgram } from './spawn.ts';

/** The process has ended. */
export class ProcessEnded extends Error {
  /** The exit code or signal, and the last lines of stderr. */
  readonly how: string;
  /** Whether it was decoding a picture. If not, the picture that it was given is not the reason. */
  readonly wasDecoding: boolean;
  /** Whether it was killed because the picture took too long. */
  readonly isTimeout: boolean;

  constructor(how: string, { wasDecoding, isTimeout }: Pick<ProcessEnded, 'wasDecoding' | 'isTimeout'>) {
    super(`the decoder process ended: ${how}`);
    this.how = how;
    this.wasDecoding = wasDecoding;
    this.isTimeout = isTimeout;
  }
}

export type DecoderProcess = {
  readonly pid: number | undefined;
  /** False from the moment on that the process is killed, or is known to have ended. */
  readonly isUsable: boolean;
  readonly ended: Promise<ProcessEnded>;
  /**
   * Resolves with the reply to a picture, one at a time. After `timeoutMs` without one the process is killed.
   * @throws ProcessEnded once the process has ended.
   */
  ask(job: Job, bytes: Uint8Array, timeoutMs: number): Promise<unknown>;
  /** Fills `bytes` with the pixels of the last reply. @throws RangeError for too few. */
  read(bytes: Uint8Array): void;
  kill(): void;
};

const STDERR_CHARACTERS = 1000;
/** A reply without pixels. */
const REPLY_CHARACTERS = 64 * 1024;
/** Of each pixel in a reply: three channels of float32 in base64. */
const PIXEL_CHARACTERS = 16;

/** Starts a process. @throws the system's error when it cannot be started. */
export async function startDecoderProcess(limits: DecodeLimits): Promise<DecoderProcess> {
  const file = openSharedFile();
  try {
    return control(await spawnProgram(limits, file), file);
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function control(child: Program, file: number): DecoderProcess {
  const { promise: ended, resolve: end } = Promise.withResolvers<ProcessEnded>();
  let expected: PromiseWithResolvers<unknown> | undefined;
  let maxCharacters = REPLY_CHARACTERS;
  let isUsable = true;
  let isTimeout = false;
  const kill = () => {
    isUsable = false; // from now on it gets no picture, and a reply does not count
    child.kill('SIGKILL');
  };
  const stderr = lastCharacters(child);
  const takeLine = (line: string) => {
    const reply = parsed(line);
    if (reply === undefined) kill();
    else if (isUsable) expected?.resolve(reply);
  };
  onLines(child, () => maxCharacters, takeLine);
  child.on('error', () => undefined); // a kill failed: the process has ended
  child.stdin.on('error', () => undefined); // the process has ended
  child.once('close', (code, signal) => {
    isUsable = false;
    const how = `${signal ?? `exit code ${code}`} ${stderr()}`.trimEnd();
    const error = new ProcessEnded(how, { wasDecoding: isMarkedDecoding(file), isTimeout });
    closeSync(file);
    end(error);
    expected?.reject(error);
  });

  return {
    pid: child.pid,
    get isUsable() {
      return isUsable;
    },
    ended,
    async ask(job, bytes, timeoutMs) {
      if (!isUsable) throw await ended;
      const reply = Promise.withResolvers<unknown>();
      expected = reply;
      const [height, width] = job.spec.size;
      maxCharacters = REPLY_CHARACTERS + PIXEL_CHARACTERS * height * width;
      const expire = () => {
        if (expected !== reply) return;
        isTimeout = true;
        kill();
      };
      // A reply that has arrived counts, also where the event loop is late: it is read before an immediate runs.
      const timer = setTimeout(() => setImmediate(expire), timeoutMs);
      send(child, job, bytes);
      try {
        return await reply.promise;
      } finally {
        clearTimeout(timer);
        expected = undefined;
      }
    },
    read: (bytes) => readPixels(file, bytes),
    kill,
  };
}

function send({ stdin }: Program, { field, spec }: Job, bytes: Uint8Array): void {
  stdin.cork();
  stdin.write(messageStart({ field, spec } satisfies Job, bytes));
  stdin.write(bytes);
  stdin.uncork();
}

/** Calls `onLine` for each line of stdout, and for one that is too long. */
function onLines({ stdout }: Program, maxCharacters: () => number, onLine: (line: string) => void): void {
  let line = '';
  stdout.setEncoding('utf8').on('data', (text: string) => {
    line += text;
    if (!line.endsWith('\n') && line.length <= maxCharacters()) return;
    onLine(line);
    line = '';
  });
}

/** Undefined for what is not JSON. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Reads stderr and keeps its end. */
function lastCharacters({ stderr }: Program): () => string {
  let kept = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    kept = (kept + text).slice(-STDERR_CHARACTERS);
  });
  return () => kept;
}
