/** How the requests of a model that name no version are split between its versions, and which get copies of them. */
import type { OwnBackend } from './own-limits.ts';

/** The number of a version, or its label. */
export type VersionName = number | string;

/**
 * What keeps a client on one version. `header`: metadata, where the request comes over gRPC. `instance`: the id of the first
 * instance in the body.
 */
export type StickyKey = { readonly from: 'header' | 'query'; readonly name: string } | { readonly from: 'instance' };

export type Canary = {
  readonly version: VersionName;
  /** Of the keys, from 0 to 1. */
  readonly share: number;
};

export type Traffic = {
  /** Absent: the newest version that is not the canary. */
  readonly stable?: VersionName;
  readonly canary?: Canary;
  /** What the split is by. Absent, or where a request has no such key: its id. */
  readonly sticky?: StickyKey;
};

/** A version that gets copies of a share of the requests. Its answers are compared with those that clients get. */
export type Shadow = {
  readonly version: VersionName;
  /** Of the requests, from 0 to 1. */
  readonly share: number;
  /** Its servers. Unset: those of the model. They are not looked at, so the version is a number there. */
  readonly backend?: OwnBackend;
};

/** The bounds of a canary. One that is unset is not judged. */
export type GuardBounds = {
  /** What is judged: the requests of the last so many milliseconds. */
  readonly windowMs: number;
  /** Requests of the canary in the window before anything is judged. */
  readonly minRequests: number;
  /** How much larger its share of errors may be: 0.01 is one percentage point. */
  readonly maxErrorRateIncrease?: number;
  /** How many times as slow it may be. */
  readonly maxLatencyRatio?: number;
  /** The share of requests to which it gives the same best class as the stable version. */
  readonly minTop1Agreement?: number;
};

/** Why a version answers. `named`: the request names a version or a label. `shadow`: it got a copy, and nobody its answer. */
export type TrafficRole = 'stable' | 'canary' | 'named' | 'shadow';

/** What a request sent that may be the key of a split. */
export type Sent = {
  /** A header, or an entry of gRPC's metadata. */
  header(name: string): string | undefined;
  /** A parameter of the query. */
  query(name: string): string | undefined;
  /** The id of the first instance: null where it has none, undefined before the body is read. */
  readonly instanceId?: string | null;
};

/** Of the gateway's own work. */
export const NOTHING_SENT: Sent = { header: () => undefined, query: () => undefined };
