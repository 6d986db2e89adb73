/** One line of the drill, and what it is run with. */
import type { Endpoint } from './endpoint.ts';
import type { DrillOrigin } from './origin.ts';

export type Drill = {
  readonly endpoint: Endpoint;
  readonly origin: DrillOrigin;
  /** A picture that the endpoint has scored before the first line. */
  readonly picture: Buffer;
  /** The public texts of all refusals of a source so far, which have to be one. */
  readonly refusals: Set<string>;
};

/** A line that is sent. */
export type RunLine = {
  readonly id: string;
  readonly sends: string;
  readonly expects: string;
  /** `origin`: the endpoint has to reach the drill's own origin. */
  readonly needs?: 'origin';
  /** Resolves to what came back. Throws Mismatch where it is not what is expected, and Skip where that cannot be told. */
  readonly run: (drill: Drill) => Promise<string>;
};

/** A line that nobody can see from outside. */
export type UnseenLine = { readonly id: string; readonly sends: string; readonly unseen: string };

export type DrillLine = RunLine | UnseenLine;

/** The endpoint answered otherwise than the line expects. */
export class Mismatch extends Error {}

/** The line does not apply to this endpoint; `message` says why. */
export class Skip extends Error {}
