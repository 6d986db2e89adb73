/** How the requests of a model that name no version are split between its versions. */

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
