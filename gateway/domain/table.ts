/** Tables: records of named values, as people have them, and how a model's tensors are called in an answer. */
import type { ScoreKind } from './scores.ts';
import type { TensorInfo } from './tensor.ts';

/** `in`: the field of an instance that has the record. `id`: the field that comes back with its prediction. */
export type RecordSpec = { readonly in?: string; readonly id: string };

/** An answer `name` that is true where the number of `output` is at least the threshold. */
export type Decision = { readonly output: string; readonly threshold: number; readonly name: string };

/** What people may give for an input: for forms, not a rule that requests are checked by. */
export type InputHint = {
  /** What it means, in a few words. */
  readonly about?: string;
  /** All values that it takes. */
  readonly choices?: readonly (string | number)[];
  readonly minimum?: number;
  readonly maximum?: number;
};

/** How the records of a version are read, and what its answers consist of. The first axis of every tensor is the rows. */
export type Table = {
  /** The name of the signature. */
  readonly signature: string;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** All inputs, in the order of an instance that is a plain list. */
  readonly columns?: readonly string[] | undefined;
  readonly record?: RecordSpec | undefined;
  /** The output whose numbers are the scores of classes. */
  readonly scores?: { readonly output: string; readonly classes: readonly string[]; readonly gives: ScoreKind };
  readonly decision?: Decision | undefined;
};

/** The field with the version in the answer of a model with `record`. */
export const VERSION_FIELD = 'model_version';

/** Whether a tensor has one element for each row: [n], [n,1], [n,1,1]. Unknown axes and ranks have any number. */
export function isScalar({ shape }: Pick<TensorInfo, 'shape'>): boolean {
  return shape !== null && shape.length > 0 && shape.slice(1).every((size) => size === 1);
}
