/** What both forms of the Open Inference Protocol need of the gateway. */
import type { RequestContext } from '../domain/request.ts';
import type { AskedServable } from '../domain/servable.ts';
import type { InferRequest, infer } from '../pipeline/infer.ts';
import type { PicturesAnswer, PicturesRequest } from '../pipeline/pictures.ts';
import type { Routed } from '../pipeline/signature.ts';

export type OpenInferenceOptions = {
  /** Of the gateway, for the server's metadata. */
  readonly server: { readonly name: string; readonly version: string };
  readonly isReady: () => boolean;
  readonly maxInstances: number;
  /** Throws if the request cannot be admitted. Called before its body is received. */
  readonly check: (context: RequestContext) => void;
  readonly resolve: (asked: AskedServable, context: Pick<RequestContext, 'signal' | 'deadlineMs'>) => Promise<Routed>;
  /** The versions of a model that may answer, the newest first. */
  readonly versions: (model: string) => readonly number[];
  readonly infer: (request: InferRequest, context: RequestContext) => ReturnType<typeof infer>;
  readonly predictPictures: (request: PicturesRequest, context: RequestContext) => Promise<PicturesAnswer>;
};
