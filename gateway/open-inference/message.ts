/** A request of the Open Inference Protocol, as both of its forms (gRPC and REST) have it. */
import type { NumericDType } from '../domain/elements.ts';
import type { StringTensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';

/** TensorShape::MaxDimensions of TensorFlow. */
export const MAX_AXES = 254;

/** A parameter: a boolean, a number, or text. */
export type Parameters = ReadonlyMap<string, boolean | number | string>;

/** The elements of an input. Both functions throw `invalid_tensor` for another number of elements than `count`. */
export type Contents = {
  /** As little-endian bytes. */
  numbers(dtype: NumericDType, count: number): Uint8Array | Promise<Uint8Array>;
  strings(count: number): StringTensor | Promise<StringTensor>;
};

export type InferInput = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly parameters: Parameters;
  readonly contents: Contents;
};

export type InferOutput = { readonly name: string; readonly parameters: Parameters };

export type InferMessage = {
  readonly parameters: Parameters;
  readonly inputs: readonly InferInput[];
  /** The wanted outputs. Empty: all. */
  readonly outputs: readonly InferOutput[];
};

/** The place of an input in a request, for error texts. */
export function placeOf(name: string, index: number): string {
  return name === '' ? `inputs[${index}]` : `inputs[${index}] (${name.slice(0, 80)})`;
}

/** The error of an input whose shape has more than MAX_AXES. */
export function tooManyAxes(): GatewayError {
  return new GatewayError('invalid_request', `inputs: a shape has at most ${MAX_AXES} axes.`);
}

/** The error of an input. */
export function wrongTensor(place: string, text: string): GatewayError {
  return new GatewayError('invalid_tensor', `${place}: ${text}`);
}
