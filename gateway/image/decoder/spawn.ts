/** Starts the program of a decoder process with restricted rights. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createRequire, getCompileCacheDir } from 'node:module';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { DecodeLimits } from './reply.ts';

const PROGRAM = fileURLToPath(new URL('program.ts', import.meta.url));
const GATEWAY = new URL('../../', import.meta.url);

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

export type Program = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Starts the program. It gets a separate environment, without the gateway's keys and tokens.
 * @param sharedFile The descriptor of the shared file.
 * @throws The system's error when no process can be started, such as EMFILE or EAGAIN.
 */
export async function spawnProgram(limits: DecodeLimits, sharedFile: number): Promise<Program> {
  const cache = openCache();
  // Detached: Ctrl-C in the terminal reaches only the gateway, which drains first. A decoder ends when its stdin does.
  const child = spawn(process.execPath, [...flags(cache), PROGRAM, JSON.stringify(limits)], {
    cwd: '/',
    detached: true,
    // One thread decodes: one arena of glibc's allocator is enough and keeps less memory.
    env: { UV_THREADPOOL_SIZE: '1', MALLOC_ARENA_MAX: '1', ...(cache !== undefined && { NODE_COMPILE_CACHE: cache }) },
    stdio: ['pipe', 'pipe', 'pipe', sharedFile],
  });
  await once(child, 'spawn');
  return child as Program;
}
