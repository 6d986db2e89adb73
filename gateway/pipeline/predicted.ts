/** What the line tells of each request that it has predicted, for a record of predictions. */
import type { Instance, PictureStatistics } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import type { Tensor } from '../domain/tensor.ts';
import type { Routed } from '../model/route.ts';
import type { RowOutputs } from './ask.ts';
import type { GivenIds } from './given-ids.ts';

/** A picture that was predicted. `row`: its place among the instances of the request. */
export type PredictedPicture = {
  readonly row: number;
  readonly instance: Instance;
  /** The encoded picture, fetched where it was a URL. */
  readonly bytes: Uint8Array;
  readonly outputs: RowOutputs;
  /** Undefined where the client or the model decodes the picture. */
  readonly statistics: PictureStatistics | undefined;
};

export type Predicted = {
  /** The version that answered. */
  readonly routed: Routed;
  readonly signature: string;
  readonly ids?: GivenIds | undefined;
} & (
  | { readonly kind: 'pictures'; readonly pictures: readonly PredictedPicture[]; readonly count: number }
  | {
      readonly kind: 'tensors';
      readonly inputs: ReadonlyMap<string, Tensor>;
      readonly outputs: ReadonlyMap<string, Tensor>;
      /** The first axis of the inputs. At least 1. */
      readonly rows: number;
    }
  | {
      /** The tensors were not read: only the sizes of the messages are known. */
      readonly kind: 'relayed';
      readonly method: string;
      readonly rows: number;
      readonly requestBytes: number;
      readonly answerBytes: number;
    }
);

/**
 * Called once for each request that was predicted, before its answer is written. What it is given may be moved or
 * freed afterwards: it has to copy what it keeps. Must not throw, and returns soon.
 */
export type OnPredicted = (predicted: Predicted, context: RequestContext) => void;
