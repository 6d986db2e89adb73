/** The inputs of a run, on their way to the session's thread. */

import type { DType } from './dtype.ts';

/** An input of a run. The concatenated `parts` are the elements of `shape`. */
export type Feed = {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly parts: readonly (Uint8Array<ArrayBuffer> | string[])[];
};

/** The memory of all numbers, each once: several tensors of a message share its memory. */
export function memoriesOf(feeds: readonly Feed[]): ArrayBuffer[] {
  const parts = feeds.flatMap((feed) => feed.parts);
  return [...new Set(parts.flatMap((part) => (Array.isArray(part) ? [] : part.buffer)))];
}

/** Gives memory back at once: waiting for the garbage collector takes CPU time. Does nothing for memory that was given away. */
export function free(memory: ArrayBuffer): void {
  if (!memory.detached) memory.transfer(0);
}
