/** Assembles convolve.wat into convolve.wasm. Run by `npm run assemble`. */
import { readFile, writeFile } from 'node:fs/promises';
import loadWabt from 'wabt';

const SOURCE = new URL('convolve.wat', import.meta.url);
export const TARGET = new URL('convolve.wasm', import.meta.url);

/** @throws Error with wabt's message and the line of a mistake. */
export async function assemble(): Promise<Buffer> {
  const wabt = await loadWabt();
  const module = wabt.parseWat(SOURCE.pathname, await readFile(SOURCE, 'utf8'), { simd: true });
  module.validate();
  return Buffer.from(module.toBinary({}).buffer);
}

if (import.meta.main) await writeFile(TARGET, await assemble());
