/** Tensors: as a model's signature describes them, and as a response contains them. */

/** The names of TensorFlow's DataType. */
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

/** Name, dtype and shape of one input or output of a signature. -1: an unknown axis; null: an unknown rank. */
export type TensorInfo = { readonly name: string; readonly dtype: DType; readonly shape: readonly number[] | null };

/** One signature of a SavedModel, from GetModelMetadata. Names are the signature's keys. */
export type Signature = { readonly inputs: readonly TensorInfo[]; readonly outputs: readonly TensorInfo[] };

/** The dtypes of an input of numbers that pictures are written into. */
export type PixelType = 'DT_FLOAT' | 'DT_HALF' | 'DT_BFLOAT16' | 'DT_UINT8' | 'DT_INT32';

/** The elements of such an input. Uint16Array: the bits of bfloat16. */
export type InputArray = Float32Array | Float16Array | Uint16Array | Uint8Array | Int32Array;

/**
 * Elements that are numbers, row-major. `bytes`: little-endian without padding, as in TensorProto's tensor_content and in the
 * raw contents of Open Inference.
 */
export type NumericTensor = { readonly dtype: DType; readonly shape: readonly number[]; readonly bytes: Uint8Array };

/**
 * Strings, row-major, as Apache Arrow lays them out: string `i` is in `bytes` from `offsets[i]` to `offsets[i + 1]`.
 * strings.ts reads and makes them.
 */
export type StringTensor = {
  readonly dtype: 'DT_STRING';
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
};

/** A tensor of a request or an answer. */
export type Tensor = NumericTensor | StringTensor;
