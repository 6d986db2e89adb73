/** The port to a model server: what the pipeline asks of a backend. */
import type { RequestContext } from './request.ts';
import type { Metadata, Servable, VersionStatus } from './servable.ts';
import type { OutputTensor } from './tensor.ts';

export type Prediction = {
  /** The version that answered; undefined where the server does not tell. */
  readonly version: number | undefined;
  readonly outputs: ReadonlyMap<string, OutputTensor>;
};

/**
 * A Predict call whose one input tensor is written in place, inside the bytes that go on the wire.
 * `tensor` has room for `capacity` instances; only the first `count` of them are sent. It is to be read when there is
 * something to write: a call that others join takes its room then.
 */
export type PredictCall = {
  readonly tensor: Float32Array | Uint8Array;
  send(count: number, context: RequestContext): Promise<Prediction>;
  /**
   * Gives the tensor's memory back for other requests. To be called once, when it was sent and nobody writes it any
   * more; that of a call which failed half-way is better left to the garbage collector.
   */
  release(): void;
};

/** What a Predict call is made for: the servable, the signature and its one input (without the batch axis). */
export type PredictTarget = {
  readonly servable: Servable;
  readonly signature: string;
  readonly input: {
    readonly name: string;
    readonly dtype: 'DT_FLOAT' | 'DT_UINT8';
    readonly shape: readonly number[];
    /** The model's batch axis is of size 1: it takes one instance a Predict. */
    readonly isSingle?: true;
  };
};

/** All that the pipeline knows of a model server. */
export type Backend = {
  prepare(target: PredictTarget, capacity: number): PredictCall;
  metadata(servable: Servable, signal: AbortSignal): Promise<Metadata>;
  status(model: string, signal: AbortSignal): Promise<readonly VersionStatus[]>;
  close(): void;
};
