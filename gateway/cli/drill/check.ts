/** One check of the drill, and what it is run with. */
import type { Endpoint } from './endpoint.ts';
import type { DrillOrigin } from './origin.ts';

export type Drill = {
  readonly endpoint: Endpoint;
  readonly origin: DrillOrigin;
  /** A picture that the endpoint scored before the first check. */
  readonly picture: Buffer;
  /** The `detail` texts of all refused sources so far. More than one text would tell refusals apart. */
  readonly refusals: Set<string>;
};

/** A check that sends requests. */
export type RunnableCheck = {
  /** Its id in the table of attacks, such as A1. */
  readonly id: string;
  readonly sends: string;
  readonly expects: string;
  /** `origin`: the endpoint must be able to fetch from the drill's own origin. */
  readonly needs?: 'origin';
  /** Resolves to what came back. Throws Mismatch if that is not expected, and Skip if the check does not apply. */
  readonly run: (drill: Drill) => Promise<string>;
};

/** A row of the table that cannot be tested from outside. */
export type SkippedCheck = { readonly id: string; readonly sends: string; readonly skipReason: string };

export type Check = RunnableCheck | SkippedCheck;

/** The endpoint did not answer as the check expects. */
export class Mismatch extends Error {}

/** The check does not apply to this endpoint; `message` says why. */
export class Skip extends Error {}
