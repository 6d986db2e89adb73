/** One decoder process: starts it with restricted rights, sends it one picture at a time and ends it. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { closeSync, mkdirSync } from 'node:fs';
import { createRequire, getCompileCacheDir } from 'node:module';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { messageStart } from './messages.ts';
import type { DecodeLimits, Job } from './reply.ts';
import { openSharedFile, readWhole } from './shared-file.ts';

export type DecoderProcess = {
  readonly pid: number | undefined;
  /** Resolves when the process can decode; rejects when it ends before. */
  readonly ready: Promise<void>;
  /** Resolves with how the process ended. */
  readonly ended: Promise<string>;
  /** Resolves with the reply; rejects when the process ends or the reply is not JSON. One job at a time. */
  ask(job: Job, bytes: Uint8Array): Promise<unknown>;
  /** Fills `bytes` with the pixels of the last reply. Call it before the next job. @throws RangeError for too few. */
  read(bytes: Uint8Array): void;
  kill(): void;
};

const PROGRAM = fileURLToPath(new URL('program.ts', import.meta.url));
const GATEWAY = new URL('../../', import.meta.url);
const STDERR_CHARACTERS = 1000;
const MAX_LINE_CHARACTERS = 64 * 1024;

/** A decoder keeps little on its heap. Frequent collection by one thread keeps the heap small and costs less CPU. */
const HEAP = ['--max-semi-space-size=4', '--max-old-space-size=64', '--single-threaded-gc'];

/**
 * Node's permission model: no files but code, no child processes, no threads. It restricts JavaScript only; the
 * container limits what a bug in a codec can reach. `--disable-warning`: sharp is a native addon, which is known.
 */
function flags(cache: string | undefined): string[] {
  const sharp = createRequire(import.meta.url).resolve('sharp');
  const modules = `${path.sep}node_modules${path.sep}`;
  const packages = sharp.slice(0, sharp.indexOf(modules) + modules.length);
  // node_modules may be a symbolic link: allow the link and its target.
  const readable = [fileURLToPath(GATEWAY), fileURLToPath(new URL('../node_modules/', GATEWAY)), packages];
  const reads = readable.map((folder) => `--allow-fs-read=${folder}`);
  // The process drops this right when its code is loaded, before its first picture.
  const writes = cache === undefined ? [] : [`--allow-fs-read=${cache}`, `--allow-fs-write=${cache}`];
  return ['--permission', '--allow-addons', ...reads, ...writes, '--disable-warning=SecurityWarning', ...HEAP];
}

/**
 * The folder of the decoders' compile cache, if the gateway has a compile cache. It is apart from the gateway's: the
 * gateway runs no code from it. The cache saves two thirds of a decoder's start.
 */
function openCache(): string | undefined {
  const gateways = getCompileCacheDir();
  if (gateways === undefined) return undefined;
  const folder = path.join(gateways, 'decoders');
  try {
    mkdirSync(folder, { recursive: true });
    return folder;
  } catch {
    return undefined; // read-only file system: decoders start without a cache, and more slowly
  }
}

/** The process gets a separate environment, without the gateway's keys and tokens. */
function spawnDecoder(limits: DecodeLimits, pixels: number): ChildProcessByStdio<Writable, Readable, Readable> {
  const cache = openCache();
  // Detached: Ctrl-C in the terminal reaches only the gateway, which drains first. A decoder ends when its stdin does.
  return spawn(process.execPath, [...flags(cache), PROGRAM, JSON.stringify(limits)], {
    cwd: '/',
    detached: true,
    // One thread decodes: one arena of glibc's allocator is enough and keeps less memory.
    env: { UV_THREADPOOL_SIZE: '1', MALLOC_ARENA_MAX: '1', ...(cache !== undefined && { NODE_COMPILE_CACHE: cache }) },
    stdio: ['pipe', 'pipe', 'pipe', pixels],
  }) as ChildProcessByStdio<Writable, Readable, Readable>;
}

/** Starts a process. */
export function startDecoderProcess(limits: DecodeLimits): DecoderProcess {
  const pixels = openSharedFile();
  const child = spawnDecoder(limits, pixels);
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
  child.stdin.on('error', kill); // the process has ended or is about to; `ended` reports it

  return {
    pid: child.pid,
    ready,
    ended,
    ask({ field, spec }, bytes) {
      expected = Promise.withResolvers();
      child.stdin.cork();
      child.stdin.write(messageStart({ field, spec } satisfies Job, bytes));
      child.stdin.write(bytes);
      child.stdin.uncork();
      return expected.promise;
    },
    read: (bytes) => readWhole(pixels, bytes),
    kill,
  };
}
