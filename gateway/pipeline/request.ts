/** The domain's plain types: what the stages hand each other. No code here, so every stage may import it. */

/** The stages that are timed, in the order of the line. */
export type Stage = 'fetch' | 'decode' | 'predict';

/** What a stage may log with; pino's shape, so that stages need not know pino. */
export type Log = {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
};

/** The one thing that every stage takes besides its data. */
export type RequestContext = {
  readonly id: string;
  /** Whose request it is, for limits and fair turns: the name of its API key; `anonymous` where there are no keys. */
  readonly tenant: string;
  /** Aborted when the deadline passes (reason: TimeoutError) or the client hangs up (reason: AbortError). */
  readonly signal: AbortSignal;
  /** The end of the request on the monotonic clock, in `performance.now()` milliseconds. */
  readonly deadlineMs: number;
  readonly log: Log;
  /** Milliseconds by stage so far: from the first start to the last end. */
  readonly times: ReadonlyMap<Stage, number>;
  /** Runs a stage and books its time; concurrent runs of one stage count from the first start to the last end. */
  time<T>(stage: Stage, work: () => Promise<T>): Promise<T>;
};

/** One thing to classify. `field` is where it stood in the request (`instances[3].url`), for error texts. */
export type Instance =
  | { readonly kind: 'url'; readonly url: string; readonly field: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly field: string };

/** Which servable is asked: TF-Serving's ModelSpec, where version and label exclude each other and none means the latest. */
export type Servable = {
  readonly model: string;
  readonly version?: number | undefined;
  readonly label?: string | undefined;
};

/** A servable as a request asks for it: the model may be left out where there is only one. */
export type AskedServable = Omit<Servable, 'model'> & { readonly model?: string | undefined };

/** The formats that can be decoded, by sniffed content. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'avif' | 'tiff';

/** Decoded pixels: 8 bits a channel (16 for gray that was stored so), rows top to bottom, channels interleaved, no padding. */
export type Pixels = {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array | Uint16Array;
};

/** Pixels of a model's size; float32 where tf.image.resize computed values between bytes. */
export type Resized = Omit<Pixels, 'data'> & { readonly data: Pixels['data'] | Float32Array };

/**
 * Decodes and resizes as a model's spec asks; `field` is where the image stood in the request. `release` gives the pixels'
 * memory back for other pictures.
 */
export type Decode = (
  bytes: Uint8Array,
  spec: ImageSpec,
  field: string,
  context: RequestContext,
) => Promise<Resized & { release(): void }>;

/**
 * Scales a picture's samples into its row of the input tensor.
 * @throws GatewayError internal when a number comes out that no picture can give.
 */
export type Normalise = (pixels: Resized, spec: ImageSpec, tensor: Float32Array | Uint8Array) => void;

export type PillowFilter = 'nearest' | 'box' | 'bilinear' | 'hamming' | 'bicubic' | 'lanczos';
export type TensorFlowMethod = 'nearest' | 'bilinear' | 'bicubic' | 'area' | 'lanczos3';
export type Scale = 'tf' | 'mul127' | 'div255' | 'mul255' | 'torch' | 'caffe' | 'none';
export type Fit = 'stretch' | 'crop' | { readonly shorter: number };

/** The `image` part of model.yaml: how a picture becomes a tensor. */
export type ImageSpec = {
  /** Name of the input tensor; learnt from the signature when it has one input. */
  readonly input?: string;
  /** Height, width. */
  readonly size: readonly [number, number];
  readonly engine: 'pillow' | 'tensorflow';
  readonly resize: PillowFilter | TensorFlowMethod;
  /** Only for engine tensorflow: tf.image.resize's own flag. */
  readonly antialias: boolean;
  readonly fit: Fit;
  readonly scale: Scale;
  readonly color: 'rgb' | 'grayscale';
  readonly layout: 'NHWC' | 'NCHW';
  /** Major version of the Pillow that training ran with; decides the order of the two resampling passes. */
  readonly pillow: number;
};

/** TensorFlow's DataType names as the wire has them. */
export type DType =
  | 'DT_FLOAT'
  | 'DT_DOUBLE'
  | 'DT_HALF'
  | 'DT_BFLOAT16'
  | 'DT_INT8'
  | 'DT_INT16'
  | 'DT_INT32'
  | 'DT_INT64'
  | 'DT_UINT8'
  | 'DT_UINT16'
  | 'DT_UINT32'
  | 'DT_UINT64'
  | 'DT_BOOL'
  | 'DT_STRING'
  | 'DT_INVALID'
  | (string & {});

/** Name, dtype and shape of one input or output of a signature; -1 for an unknown axis, null for an unknown rank. */
export type TensorInfo = { readonly name: string; readonly dtype: DType; readonly shape: readonly number[] | null };

/** One signature of a SavedModel, as GetModelMetadata tells it. Names are the signature's keys. */
export type Signature = { readonly inputs: readonly TensorInfo[]; readonly outputs: readonly TensorInfo[] };

/** A servable version and its signatures by name. */
export type Metadata = { readonly version: number; readonly signatures: ReadonlyMap<string, Signature> };

/** TF-Serving's ModelVersionStatus.State. */
export type ServableState = 'UNKNOWN' | 'START' | 'LOADING' | 'AVAILABLE' | 'UNLOADING' | 'END';
export type VersionStatus = { readonly version: number; readonly state: ServableState; readonly error: string };

/** An output tensor read from an answer; numbers in row-major order. */
export type OutputTensor = {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  /** The elements of a DT_STRING, which has no `values`. */
  readonly strings?: ArrayLike<Uint8Array>;
};
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
