/** The state of one model. */
import type { VersionName } from '../domain/traffic.ts';
import type { Parity } from './parity.ts';

export type CanaryState = {
  /** As model.yaml names it. */
  readonly version: VersionName;
  /** Of the requests that name no version, from 0 to 1. */
  readonly share: number;
  /** Why it gets none of them. */
  readonly problem?: string;
};

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
  /** The canary of model.yaml. */
  readonly canary?: CanaryState;
  /** Why the newest model.yaml is refused: the last valid one is in use. */
  readonly mistake?: string;
  /** Versions that the model servers have and that never answer, newest first. */
  readonly refused?: readonly { readonly version: number; readonly problem: string; readonly parity?: Parity }[];
};
