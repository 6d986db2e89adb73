/** What the line tells of each request that it has predicted, for records of predictions and for copies. */
import type { Instance, PictureStatistics } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import type { RoomyMessage } from '../domain/roomy-message.ts';
import type { NumericTensor, Tensor } from '../domain/tensor.ts';
import type { Routed } from '../model/route.ts';
import type { RowOutputs } from './ask.ts';
import type { GivenIds } from './given-ids.ts';

/** A picture that was predicted. `row`: its place among the instances of the request. */
export type PredictedPicture = {
  readonly row: number;
  /** Its place in the tensor that was sent. */
  readonly sentRow: number;
  readonly instance: Instance;
  /** The encoded picture, fetched where it was a URL. */
  readonly bytes: Uint8Array;
  readonly outputs: RowOutputs;
  /** Undefined where the client or the model decodes the picture. */
  readonly statistics: PictureStatistics | undefined;
};

/** The tensor that was sent, of pictures that the gateway decodes, or that the client has converted. */
export type SentPixels = {
  /** All rows that are filled. */
  readonly tensor: NumericTensor;
  /** Keeps the memory from being used again, until the function that it returns is called once. */
  keep(): () => void;
};

export type Predicted = {
  /** The version that answered. */
  readonly routed: Routed;
  readonly signature: string;
  readonly ids?: GivenIds | undefined;
} & (
  | {
      readonly kind: 'pictures';
      /** Those that have outputs. */
      readonly pictures: readonly PredictedPicture[];
      /** Instances of the request. */
      readonly count: number;
      /** Undefined for pictures that the model decodes. */
      readonly pixels?: SentPixels | undefined;
    }
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
      /** The request without its servable. */
      readonly rest: RoomyMessage;
      /** Reads the outputs of a Predict that the request has asked for. Throws `model_failed`. */
      readonly outputs: () => Promise<ReadonlyMap<string, Tensor>>;
    }
);

/**
 * Called once for each request that was predicted, before its answer is written. What it is given may be moved or
 * freed afterwards: it has to copy what it keeps. Must not throw, and returns soon.
 */
export type OnPredicted = (predicted: Predicted, context: RequestContext) => void;
