/** Compiles the WebAssembly programs from AssemblyScript. Run by `npm run assemble`. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import asc from 'assemblyscript/asc';

type Program = { readonly source: string; readonly target: string; readonly options: readonly string[] };

const FOLDER = import.meta.dirname;

export const PROGRAMS: readonly Program[] = [
  {
    source: 'resample/assembly/index.ts',
    target: 'resample/convolve.wasm',
    options: ['--initialMemory', '32', '--maximumMemory', '32'],
  },
  { source: 'jpeg/assembly/index.ts', target: 'jpeg/jpeg.wasm', options: ['--enable', 'relaxed-simd'] },
];

/** No garbage collector, no checks that would throw: the programs have neither objects nor exceptions. */
const OPTIONS = ['-O3', '--converge', '--runtime', 'stub', '--noAssert', '--use', 'abort=', '--enable', 'simd'];

/** @throws Error with the compiler's messages. */
export async function assemble({ source, options }: Program): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main([source, '--outFile', 'out.wasm', ...OPTIONS, ...options], {
    readFile: (name, base) => readFile(path.resolve(FOLDER, base, name), 'utf8').catch(() => null),
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') binary = contents;
    },
    listFiles: () => [],
  });
  if (error || !binary) throw new Error(stderr.toString(), { cause: error });
  return binary;
}

export const fileOf = ({ target }: Program) => path.join(FOLDER, target);

if (import.meta.main) {
  for (const program of PROGRAMS) await writeFile(fileOf(program), await assemble(program));
}
