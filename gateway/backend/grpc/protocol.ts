/** What differs between the protocols of model servers: the messages. All else is the same for each of them. */
import type { Backend, Prediction, PredictTarget, RelayTarget, TensorsTarget } from '../../domain/backend.ts';
import type { Servable } from '../../domain/servable.ts';
import type { Steps } from '../../domain/steps.ts';
import type { Tensor } from '../../domain/tensor.ts';
import type { BackwardWriter } from '../../tensor/backward-writer.ts';

/** The content of a request's one input. It is in place before the rest is written. */
export type Content = {
  readonly target: PredictTarget;
  /** Instances. */
  readonly count: number;
  /** Offsets of the content: a tensor's bytes, or what `writeString` has written of a DT_STRING. */
  readonly start: number;
  readonly end: number;
};

/** The outputs to read of an answer. */
export type Wanted = {
  /** Keys of the outputs to read. The others are skipped. */
  readonly outputs: readonly string[];
  /** The most elements of these outputs, together. */
  readonly elements: number;
  /** Counts the memory that a tensor takes beside the answer. Throws where it does not fit. */
  readonly take?: ((bytes: number) => void) | undefined;
};

/** The messages of the RPC that runs a model. Requests are written from their end to their start. */
export type PredictMessages = {
  /** Its path: `/package.Service/Method`. */
  readonly path: string;
  /** How a server says, with INVALID_ARGUMENT, that the tensors of a request are not those of the version. */
  readonly otherTensors: RegExp;
  /** How it says, with INVALID_ARGUMENT, that a request has more instances than it takes at once. Captures their number. */
  readonly batchLimit: RegExp;
  /** Writes a string of a DT_STRING input: at most MAX_FIELD_HEAD_BYTES more than its bytes. */
  writeString(writer: BackwardWriter, string: Uint8Array): void;
  /** Writes all that comes before the content of the input, which ends the request. At most `maxHeadBytes` of it. */
  writeHead(writer: BackwardWriter, content: Content): void;
  /** Writes a request with any inputs. At most `mostBytes` of it. */
  writeTensors(writer: BackwardWriter, target: TensorsTarget, inputs: ReadonlyMap<string, Tensor>): Steps<void>;
  /**
   * Reads an answer. Outputs of a dtype other than numbers and strings are left out. Throws `model_failed` for other bytes,
   * for tensors that contradict themselves, and for more elements than are wanted.
   */
  readPrediction(response: Uint8Array, wanted: Wanted, servable: Servable): Prediction | Promise<Prediction>;
};

/** How requests of clients that speak the same protocol pass without being decoded. */
export type RelayMessages = {
  /** The paths of the RPCs that pass. */
  readonly paths: Readonly<Partial<Record<RelayTarget['method'], string>>>;
  /** Writes the servable, before the rest of the client's request. */
  writeServable(writer: BackwardWriter, servable: Servable, signature: string): void;
  /** The version in an answer. Throws `model_failed` for other bytes. */
  readVersion(response: Uint8Array, servable: Servable): number | undefined;
};

export type ServerProtocol = {
  readonly predict: PredictMessages;
  readonly relay: RelayMessages;
  readonly lookUp: Pick<Backend, 'metadata' | 'status'>;
};
