/** Whether ONNX Runtime, which the embedded model server computes with, runs on this machine. */
import { globSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** A machine as onnxruntime-node has binaries for it. `libc`: of Linux only. */
export type Platform = { readonly system: string; readonly processor: string; readonly libc: 'glibc' | 'other' };

/** Why it cannot run, as a clause without a capital; undefined if it can. */
export function missingOnnxRuntime({ system, processor, libc }: Platform = thisPlatform()): string | undefined {
  const main = resolve('onnxruntime-node');
  if (main === undefined) {
    return 'onnxruntime-node is not installed: npm leaves optional packages out with --omit=optional';
  }
  const folder = path.join(path.dirname(fileURLToPath(main)), '../bin');
  const binaries = globSync(`*/${system}/${processor}/*.node`, { cwd: folder });
  if (binaries.length === 0) return `onnxruntime-node has no binaries for ${system} on ${processor}`;
  if (system === 'linux' && libc !== 'glibc') return 'onnxruntime-node needs a Linux with glibc, which Alpine has not';
  return undefined;
}

function resolve(name: string): string | undefined {
  try {
    return import.meta.resolve(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

function thisPlatform(): Platform {
  const { platform: system, arch: processor } = process;
  return { system, processor, libc: system === 'linux' && hasGlibc() ? 'glibc' : 'other' };
}

function hasGlibc(): boolean {
  if (process.report === undefined) return true;
  // Otherwise the report looks up the names of all peers. Node's types do not have it.
  Object.assign(process.report, { excludeNetwork: true });
  const { header } = process.report.getReport() as { readonly header: { readonly glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
}
