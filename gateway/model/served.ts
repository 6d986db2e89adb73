/** A version on one model server, and whether it may answer. */
import type { Metadata } from '../domain/servable.ts';
import type { Parity } from './parity.ts';
import type { Binding } from './signatures.ts';

/**
 * open: not checked yet, or the check failed for `problem` and is repeated. usable: it fits its model.yaml and its parity is
 * not differing. refused: it never answers.
 */
export type Verdict =
  | { readonly kind: 'open'; readonly problem?: string }
  /** Without a binding: the model takes tensors. */
  | { readonly kind: 'usable'; readonly parity: Parity; readonly binding?: Binding }
  | { readonly kind: 'refused'; readonly problem: string; readonly parity?: Parity };

/** A version on one server. */
export type Served = {
  readonly server: string;
  readonly version: number;
  readonly metadata: Metadata;
  readonly verdict: Verdict;
  /** When the metadata were read last, in milliseconds of `performance.now()`. */
  readonly readMs: number;
};
