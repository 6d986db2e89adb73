/** The state of one model. */
import type { Parity } from './parity.ts';

export type ModelState = {
  /** The version for requests that name none. */
  readonly version?: number;
  readonly parity?: Parity;
  /** Why the model is not ready; absent when it is. Public: it has no addresses, no paths and no text of a library. */
  readonly problem?: string;
  /** More about the problem, such as addresses. Only for the log and the admin port. */
  readonly detail?: string;
  /** The model may be ready soon: its first check has not ended, or the model server cannot be reached yet. */
  readonly isPending?: true;
  /** Versions that the model servers have and that never answer, newest first. */
  readonly refused?: readonly { readonly version: number; readonly problem: string; readonly parity?: Parity }[];
};
