/** One decoder process: starts it within walls, gives it one picture at a time and ends it. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { closeSync, mkdirSync } from 'node:fs';
import { createRequire, getCompileCacheDir } from 'node:module';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Job, Limits } from './answer.ts';
import { frameStart } from './frames.ts';
import { openSharedFile, readWhole } from './shared-file.ts';

export type DecoderProcess = {
  readonly pid: number | undefined;
  /** Resolves once it can decode; rejects when it ends before. */
  readonly ready: Promise<void>;
  /** Resolves to how it ended. */
  readonly ended: Promise<string>;
  /** Resolves to what it answers; rejects when it ends or answers nonsense. Only one job at a time. */
  ask(job: Job, bytes: Uint8Array): Promise<unknown>;
  /** Fills `bytes` with the pixels of the last answer, before the next job. Throws where there are not so many. */
  read(bytes: Uint8Array): void;
  kill(): void;
};

const PROGRAM = fileURLToPath(new URL('program.ts', import.meta.url));
const GATEWAY = new URL('../../', import.meta.url);
const STDERR_CHARACTERS = 1000;
const MAX_LINE_CHARACTERS = 64 * 1024;

/** What a decoder keeps on its heap is little: collected often and by its one thread it stays so, and costs less. */
const HEAP = ['--max-semi-space-size=4', '--max-old-space-size=64', '--single-threaded-gc'];

/**
 * Node's permission model: no files but code, no programs, no threads. It holds JavaScript alone; what a codec's bug can
 * reach is bounded by the container. That sharp is native code is known, so that its warning says nothing.
 */
function flags(cache: string | undefined): string[] {
  const sharp = createRequire(import.meta.url).resolve('sharp');
  const modules = `${path.sep}node_modules${path.sep}`;
  const packages = sharp.slice(0, sharp.indexOf(modules) + modules.length);
  // Where modules are looked for, and where they lie: node_modules may be a link.
  const readable = [fileURLToPath(GATEWAY), fileURLToPath(new URL('../node_modules/', GATEWAY)), packages];
  const reads = readable.map((folder) => `--allow-fs-read=${folder}`);
  // Until it has loaded its code, and before it has seen a picture.
  const writes = cache === undefined ? [] : [`--allow-fs-read=${cache}`, `--allow-fs-write=${cache}`];
  return ['--permission', '--allow-addons', ...reads, ...writes, '--disable-warning=SecurityWarning', ...HEAP];
}

/**
 * Where decoders keep their code compiled, if the gateway keeps its own: a folder apart, of which the gateway runs nothing.
 * It saves two thirds of a decoder's start.
 */
function openCache(): string | undefined {
  const gateways = getCompileCacheDir();
  if (gateways === undefined) return undefined;
  const folder = path.join(gateways, 'decoders');
  try {
    mkdirSync(folder, { recursive: true });
    return folder;
  } catch {
    return undefined; // a place to read only, without one: the start takes longer
  }
}

/** Starts a process. It has an environment of its own: no key or token of the gateway's can be read there. */
export function startDecoderProcess(limits: Limits): DecoderProcess {
  const pixels = openSharedFile();
  const cache = openCache();
  // Detached: a Ctrl-C in the terminal is for the gateway alone, which drains first. It ends when its stdin does.
  const child = spawn(process.execPath, [...flags(cache), PROGRAM, JSON.stringify(limits)], {
    cwd: '/',
    detached: true,
    // One thread decodes: one arena of glibc's allocator is enough, and keeps less.
    env: { UV_THREADPOOL_SIZE: '1', MALLOC_ARENA_MAX: '1', ...(cache !== undefined && { NODE_COMPILE_CACHE: cache }) },
    stdio: ['pipe', 'pipe', 'pipe', pixels],
  }) as ChildProcessByStdio<Writable, Readable, Readable>;
  let expected = Promise.withResolvers<unknown>();
  const ready = expected.promise.then(() => undefined);
  let line = '';
  let stderr = '';
  const kill = () => void child.kill('SIGKILL');

  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    line += text;
    if (line.length > MAX_LINE_CHARACTERS) kill();
    if (!line.endsWith('\n')) return;
    try {
      expected.resolve(JSON.parse(line));
    } catch (error) {
      expected.reject(error);
      kill();
    }
    line = '';
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARACTERS);
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(message));
    child.once('close', (code, signal) => resolve(`${signal ?? `exit code ${code}`} ${stderr}`.trimEnd()));
  });
  void ended.then((how) => {
    closeSync(pixels);
    expected.reject(new Error(`the decoder process ended: ${how}`));
  });
  child.stdin.on('error', kill); // it ended, or is about to: `ended` tells

  return {
    pid: child.pid,
    ready,
    ended,
    ask({ field, spec }, bytes) {
      expected = Promise.withResolvers();
      child.stdin.cork();
      child.stdin.write(frameStart({ field, spec } satisfies Job, bytes));
      child.stdin.write(bytes);
      child.stdin.uncork();
      return expected.promise;
    },
    read: (bytes) => readWhole(pixels, bytes),
    kill,
  };
}
