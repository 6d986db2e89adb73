/** How the requests of a model that name no version are split between its versions. */

/** The number of a version, or its label. */
export type VersionName = number | string;

/** What keeps a client on one version. `header`: metadata, where the request comes over gRPC. */
export type StickyKey = { readonly from: 'header' | 'query'; readonly name: string };

export type Canary = {
  readonly version: VersionName;
  /** Of the keys, from 0 to 1. */
  readonly share: number;
};

export type Traffic = {
  /** Absent: the newest version that is not the canary. */
  readonly stable?: VersionName;
  readonly canary?: Canary;
  /** Absent, or where a request has no such key: its id. */
  readonly sticky?: StickyKey;
};

/** Which version of a split answers a request. */
export type TrafficRole = 'stable' | 'canary';

/** What a request sent that may be the key of a split. */
export type Sent = {
  /** A header, or an entry of gRPC's metadata. */
  header(name: string): string | undefined;
  /** A parameter of the query. */
  query(name: string): string | undefined;
};

/** Of the gateway's own work. */
export const NOTHING_SENT: Sent = { header: () => undefined, query: () => undefined };
