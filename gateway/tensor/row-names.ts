/** How instances were named, as it passes between threads: a few buffers, however many instances there are. */
import { StringBuilder, stringAt } from '../domain/strings.ts';
import type { StringTensor } from '../domain/tensor.ts';
import { packedMemory } from './packed.ts';
import type { Member } from './record-id.ts';

/** How an instance was given, and so how its prediction is answered. */
export type RowName = {
  /** A list or a value without the names of inputs: its prediction has no names either, where the model has one output. */
  readonly isPlain: boolean;
  /** The fields that come back with the prediction. */
  readonly ids?: readonly Member[];
};

export type RowNames = {
  readonly count: number;
  /** One byte for each instance: 1 where it is plain. */
  readonly plain: Uint8Array;
  /** The members of each instance as JSON text, `"id":7`. Unset: none has any. */
  readonly ids?: StringTensor;
};

const utf8 = new TextDecoder();

export function packNames(rows: readonly RowName[]): RowNames {
  const plain = Uint8Array.from(rows, ({ isPlain }) => Number(isPlain));
  if (!rows.some(({ ids = [] }) => ids.length > 0)) return { count: rows.length, plain };
  const texts = new StringBuilder(rows.length);
  for (const { ids = [] } of rows) {
    texts.addText(ids.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(','));
  }
  return { count: rows.length, plain, ids: texts.tensor([rows.length]) };
}

/** The reader of single instances: `ids` is the JSON text of its members, or empty. */
export function unpackNames({ plain, ids }: RowNames): (row: number) => { isPlain: boolean; ids: string } {
  return (row) => ({ isPlain: plain[row] === 1, ids: ids ? utf8.decode(stringAt(ids, row)) : '' });
}

/** The memory of the names, to move it. */
export function memoryOfNames({ plain, ids }: RowNames): ArrayBuffer[] {
  return [plain.buffer as ArrayBuffer, ...packedMemory(ids ? [ids] : [])];
}
