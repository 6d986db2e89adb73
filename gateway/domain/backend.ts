/** The interface of a model server, as the pipeline uses it. */
import type { RequestContext } from './request.ts';
import type { RoomyMessage } from './roomy-message.ts';
import type { Metadata, Servable, VersionStatus } from './servable.ts';
import type { InputArray, PixelType, Tensor } from './tensor.ts';

export type Prediction = {
  /** The version that answered; undefined when the server does not name it. */
  readonly version: number | undefined;
  /** The outputs that were wanted, by their keys. */
  readonly outputs: ReadonlyMap<string, Tensor>;
};

/**
 * A Predict call. Its input tensor is written in place, inside the bytes that are sent. `tensor` has room for
 * `capacity` instances; only the first `count` are sent. Its memory is allocated at the first access, so read it only
 * when there is something to write.
 */
export type PredictCall = {
  readonly tensor: InputArray;
  /** Sets an instance of a DT_STRING input, which has no `tensor`. The bytes are not copied before `send`. */
  setString(row: number, bytes: Uint8Array): void;
  /** A call with one of this call's instances. */
  single(row: number): PredictCall;
  /** The bytes of the first `count` instances. */
  inputBytes(count: number): number;
  send(count: number, context: RequestContext): Promise<Prediction>;
  /**
   * Returns the tensor's memory to the pool. Call it once, when the call has ended and nothing writes the tensor any
   * more. Leave the memory of a failed call to the garbage collector: something may still write it.
   */
  release(): void;
};

/** What an answer has for each instance. It bounds the bytes that are taken from the server. */
export type ExpectedAnswer = {
  /** Keys of the outputs to read. The others are skipped. */
  readonly outputs: readonly string[];
  /** The most elements of these outputs. Infinite: the signature does not tell. */
  readonly wantedElements: number;
  /** The elements of all outputs. Undefined: the signature does not tell (an unknown axis or rank, strings). */
  readonly elements: number | undefined;
};

/** The target of a Predict call: the servable, the signature and its one input (without the batch axis). */
export type PredictTarget = {
  readonly servable: Servable;
  /** The only servers that the call may go to, by their addresses. Unset: any. */
  readonly only?: ReadonlySet<string>;
  readonly signature: string;
  readonly input: {
    readonly name: string;
    readonly dtype: PixelType | 'DT_STRING';
    readonly shape: readonly number[];
    /** The batch axis has size 1: the model takes one instance per Predict. */
    readonly isSingle?: true;
  };
  readonly answer: ExpectedAnswer;
};

/** The target of a Predict with tensors. `answer` has the outputs that are wanted, and their elements for each row. */
export type TensorsTarget = Omit<PredictTarget, 'input'>;

/** The methods whose requests pass without being decoded: TF-Serving's, and the one of Open Inference. */
export type RelayedMethod = 'Predict' | 'Classify' | 'Regress' | 'ModelInfer';

/** The target of a request in the protocol of the servers. */
export type RelayTarget = TensorsTarget & { readonly method: RelayedMethod };

/** `outputs` reads those of the target's answer; only of a Predict. Throws `model_failed`. */
export type RelayedAnswer = {
  readonly version: number | undefined;
  readonly message: Uint8Array;
  outputs(): Promise<ReadonlyMap<string, Tensor>>;
};

/**
 * Sends a request as it is, after the servable of the target. `rest`: the request without its servable; its free memory is
 * written. `rows`: as for `predict`. Resolves to the answer as it came, and its version.
 */
export type Relay = (
  target: RelayTarget,
  rest: RoomyMessage,
  rows: number,
  context: RequestContext,
) => Promise<RelayedAnswer>;

/** The model servers. Look-ups go to the given server, or to any. */
export type Backend = {
  /** The addresses of the servers that are connected now. Any call starts connecting. */
  servers(): readonly string[];
  /** Starts connecting and waits a moment. Resolves to whether a server is connected. */
  connect(): Promise<boolean>;
  prepare(target: PredictTarget, capacity: number): PredictCall;
  /** Sends tensors as they are. `rows`: what the answer has for each row is multiplied by it. */
  predict(
    target: TensorsTarget,
    inputs: ReadonlyMap<string, Tensor>,
    rows: number,
    context: RequestContext,
  ): Promise<Prediction>;
  /** Throws `not_found` where the servers speak another protocol than the method's. */
  readonly relay: Relay;
  metadata(servable: Servable, signal: AbortSignal, server?: string): Promise<Metadata>;
  status(model: string, signal: AbortSignal, server?: string): Promise<readonly VersionStatus[]>;
  close(): void;
};
