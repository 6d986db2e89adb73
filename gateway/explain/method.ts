/** What a method of explanation gets and gives. Methods know nothing of requests: they ask the model by functions. */
import type { Attributed, Target } from '../domain/explanation.ts';
import type { Signature, Tensor } from '../domain/tensor.ts';
import type { PictureBaseline } from './baselines.ts';
import type { ExplainOptions, OptionName } from './options.ts';

/** What bounds a method. A call is one input that the model scores; a batch of inputs counts as many calls. */
export type Budget = {
  /** The most calls. */
  readonly calls: number;
  /** Whether so many more calls fit, by their number and by the time that calls have taken so far. */
  hasRoom(calls: number): boolean;
};

type Shared = {
  readonly target: Target;
  /** All signatures of the version. */
  readonly signatures: ReadonlyMap<string, Signature>;
  /**
   * Asks the model by any signature. `rows`: the calls that it counts as. Resolves to the outputs.
   * @throws GatewayError of the model server, and where the budget is used up.
   */
  ask(
    signature: string,
    inputs: ReadonlyMap<string, Tensor>,
    rows: number,
    outputs?: readonly string[],
  ): Promise<ReadonlyMap<string, Tensor>>;
};

/** One picture. Pixels are those that the model sees: 0 to 255, not rounded, row-major, channels interleaved. */
export type PictureSubject = Shared & {
  readonly kind: 'picture';
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly pixels: Float32Array;
  /** Pixels scaled and ordered as model.yaml says for an input of floats, without a batch axis. */
  readonly scaled: (pixels: Float32Array) => Float32Array;
  /** Of such an input, without the batch axis. */
  readonly inputShape: readonly number[];
  /** The scores of `count` pictures. `write` fills the pixels of each; it is called in turns of the event loop. */
  scores(count: number, write: (index: number, into: Float32Array) => void): Promise<Float64Array>;
};

/** One record, and the records of the background that it is compared with. */
export type RecordSubject = Shared & {
  readonly kind: 'record';
  /** The features. */
  readonly names: readonly string[];
  /** The tensors of its one row, by the names of the inputs. Their elements are the features, in order. */
  readonly own: ReadonlyMap<string, Tensor>;
  /** `about`: what it is, for the answer. `inputs`: the tensors of its rows. */
  readonly background: { readonly size: number; readonly about: string; readonly inputs: ReadonlyMap<string, Tensor> };
  /**
   * The scores of `count` mixed records. Mixed record `index` has the features of the record where `isOwn`, and those of the
   * background's record `from(index)` elsewhere.
   */
  scores(
    count: number,
    from: (index: number) => number,
    isOwn: (index: number, feature: number) => boolean,
  ): Promise<Float64Array>;
};

export type Subject = PictureSubject | RecordSubject;

export type ExplainMethod = {
  readonly takes: readonly Subject['kind'][];
  /** The options that mean something to it. */
  readonly options: readonly OptionName[];
  /** The baselines that it can compare a picture with, the usual one first. */
  readonly baselines: readonly PictureBaseline[];
  /** Why a version cannot be explained so. Undefined where it can. */
  unavailable(signatures: ReadonlyMap<string, Signature>): string | undefined;
  /** @throws GatewayError invalid_request for an option that does not fit the subject. */
  explain(subject: Subject, options: ExplainOptions, budget: Budget): Promise<Attributed>;
};
