/** Servables, as TF-Serving calls them: a model, its versions, their states and signatures. */
import type { BackendProtocol } from './own-limits.ts';
import type { Signature } from './tensor.ts';

/** The signature of requests that name none, as in TensorFlow, and the only one of servers whose protocol has no signatures. */
export const DEFAULT_SIGNATURE = 'serving_default';

/** TF-Serving's ModelSpec. Version and label exclude each other; without both it means the latest version. */
export type Servable = {
  readonly model: string;
  readonly version?: number | undefined;
  readonly label?: string | undefined;
};

/** A servable as a request names it. The model may be omitted when there is only one. */
export type AskedServable = Omit<Servable, 'model'> & { readonly model?: string | undefined };

/** A servable version and its signatures by name. */
export type Metadata = {
  readonly version: number;
  /** The protocol of the server. */
  readonly protocol: BackendProtocol;
  readonly signatures: ReadonlyMap<string, Signature>;
  /** TF-Serving's SignatureDefMap as the server sent it. Absent where the server speaks another protocol. */
  readonly signatureDefs?: Uint8Array;
};

/** TF-Serving's ModelVersionStatus.State. */
export type ServableState = 'UNKNOWN' | 'START' | 'LOADING' | 'AVAILABLE' | 'UNLOADING' | 'END';

/** `code`: the name of gRPC's status code of `error`. Absent without an error, or where the server does not tell it. */
export type VersionStatus = {
  readonly version: number;
  readonly state: ServableState;
  readonly error: string;
  readonly code?: string;
};
