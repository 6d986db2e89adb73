/** The WebAssembly program of assembly/ (`npm run assemble` writes jpeg.wasm), and its memory. */
import { readFileSync } from 'node:fs';

/** Sizes are in bytes, addresses in the memory. assembly/index.ts describes the calls and their order. */
export type Program = {
  readonly memory: { readonly buffer: ArrayBuffer };
  room(bytes: number): number;
  begin(): number;
  width(): number;
  height(): number;
  components(): number;
  isKept(): number;
  select(columns: number, rows: number, channels: number): number;
  columnTable(): number;
  rowTable(): number;
  start(): number;
  next(): number;
  status(): number;
  window(): number;
};

/** The part that is used. TypeScript has these types only in its library for browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
  readonly RuntimeError: new () => Error;
};

const module = new WebAssembly.Module(readFileSync(new URL('jpeg.wasm', import.meta.url)));

/**
 * An instance whose memory is larger is dropped after its picture: the memory of an instance never shrinks. Photos of
 * 12 megapixels take 2 MB and their file twice; kept coefficients take 3 to 6 bytes a pixel.
 */
const KEPT_BYTES = 8 * 2 ** 20;

let idle: Program | undefined;

/**
 * Takes this thread's instance, or makes one. Undefined if there is no memory for it. The caller gives it back, unless it
 * trapped.
 */
export function takeProgram(): Program | undefined {
  const program = idle ?? instantiate();
  idle = undefined;
  return program;
}

function instantiate(): Program | undefined {
  try {
    return new WebAssembly.Instance(module).exports as Program;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

export function giveProgram(program: Program): void {
  if (program.memory.buffer.byteLength <= KEPT_BYTES) idle = program;
}

/** Whether the error is the end of a program by WebAssembly's own checks: an address out of bounds, a division by zero. */
export function isTrap(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError;
}
