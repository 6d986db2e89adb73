/** One decoder process: starts it within walls, gives it one picture at a time and ends it. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Job, type Limits, maxAnswerBytes } from './answer.ts';
import { createFrameReader, type Frame, frameStart } from './frames.ts';

export type DecoderProcess = {
  readonly pid: number | undefined;
  /** Resolves once it can decode; rejects when it ends before. */
  readonly ready: Promise<void>;
  /** Resolves to how it ended. */
  readonly ended: Promise<string>;
  /** Resolves to what it answers; rejects when it ends or answers nonsense. Only one job at a time. */
  ask(job: Job, bytes: Uint8Array): Promise<Frame>;
  kill(): void;
};

const PROGRAM = fileURLToPath(new URL('program.ts', import.meta.url));
const GATEWAY = new URL('../../', import.meta.url);
const STDERR_CHARACTERS = 1000;

/**
 * Node's permission model: no files but code, no programs, no threads. It holds JavaScript alone; what a codec's bug can
 * reach is bounded by the container. That sharp is native code is known, so that its warning says nothing.
 */
function flags(): string[] {
  const sharp = createRequire(import.meta.url).resolve('sharp');
  const modules = `${path.sep}node_modules${path.sep}`;
  const packages = sharp.slice(0, sharp.indexOf(modules) + modules.length);
  // Where modules are looked for, and where they lie: node_modules may be a link.
  const readable = [fileURLToPath(GATEWAY), fileURLToPath(new URL('../node_modules/', GATEWAY)), packages];
  const reads = readable.map((folder) => `--allow-fs-read=${folder}`);
  return ['--permission', '--allow-addons', ...reads, '--disable-warning=SecurityWarning', '--expose-gc'];
}

/** Starts a process. It has an environment of its own: no key or token of the gateway's can be read there. */
export function startDecoderProcess(limits: Limits): DecoderProcess {
  // Detached: a Ctrl-C in the terminal is for the gateway alone, which drains first. It ends when its stdin does.
  const child = spawn(process.execPath, [...flags(), PROGRAM, JSON.stringify(limits)], {
    cwd: '/',
    detached: true,
    // One thread decodes: one arena of glibc's allocator is enough, and keeps less.
    env: { UV_THREADPOOL_SIZE: '1', MALLOC_ARENA_MAX: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let maxBodyBytes = 0;
  let expected = Promise.withResolvers<Frame>();
  const ready = expected.promise.then(() => undefined);
  let stderr = '';
  const kill = () => void child.kill('SIGKILL');

  const reader = createFrameReader(
    () => maxBodyBytes,
    (frame) => expected.resolve(frame),
  );
  child.stdout.on('data', (chunk: Buffer) => {
    try {
      reader.push(chunk);
    } catch (error) {
      expected.reject(error);
      kill();
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARACTERS);
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(message));
    child.once('close', (code, signal) => resolve(`${signal ?? `exit code ${code}`} ${stderr}`.trimEnd()));
  });
  void ended.then((how) => expected.reject(new Error(`the decoder process ended: ${how}`)));
  child.stdin.on('error', kill); // it ended, or is about to: `ended` tells

  return {
    pid: child.pid,
    ready,
    ended,
    ask({ field, spec }, bytes) {
      maxBodyBytes = maxAnswerBytes(spec);
      expected = Promise.withResolvers();
      child.stdin.cork();
      child.stdin.write(frameStart({ field, spec } satisfies Job, bytes));
      child.stdin.write(bytes);
      child.stdin.uncork();
      return expected.promise;
    },
    kill,
  };
}
