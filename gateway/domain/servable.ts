/** Servables in TF-Serving's words: a model, its versions, their states and signatures. */
import type { Signature } from './tensor.ts';

/** Which servable is asked: TF-Serving's ModelSpec, where version and label exclude each other and none means the latest. */
export type Servable = {
  readonly model: string;
  readonly version?: number | undefined;
  readonly label?: string | undefined;
};

/** A servable as a request asks for it: the model may be left out where there is only one. */
export type AskedServable = Omit<Servable, 'model'> & { readonly model?: string | undefined };

/** A servable version and its signatures by name. */
export type Metadata = { readonly version: number; readonly signatures: ReadonlyMap<string, Signature> };

/** TF-Serving's ModelVersionStatus.State. */
export type ServableState = 'UNKNOWN' | 'START' | 'LOADING' | 'AVAILABLE' | 'UNLOADING' | 'END';

export type VersionStatus = { readonly version: number; readonly state: ServableState; readonly error: string };
