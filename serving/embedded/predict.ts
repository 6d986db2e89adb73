/** The checks of a Predict request, in TF-Serving's order and with its error texts. */

import { COMPLEX, DTYPES, isComplex } from './dtype.ts';
import type { PredictRequest, TensorProto } from './protocol.ts';
import type { Signature, Signatures, ValueInfo } from './session-worker.ts';
import { failedPrecondition, invalidArgument } from './status.ts';
import { type ComplexTensor, type InputTensor, readTensor } from './tensor.ts';

/** The signature with this name. @throws StatusError FAILED_PRECONDITION if the version does not have it */
export function findSignature(signatures: Signatures, name: string): Signature {
  const signature = signatures.get(name);
  if (signature === undefined) throw failedPrecondition(`Serving signature key "${name}" not found.`);
  return signature;
}

type ReadTensors = ReadonlyMap<string, InputTensor | ComplexTensor>;

/**
 * The request's tensors by input name.
 * @throws StatusError INVALID_ARGUMENT for missing or extra inputs and invalid tensors
 */
export function readInputs({ inputs: wanted }: Signature, sent: PredictRequest['inputs']): ReadTensors {
  const names = Object.keys(sent);
  const extra = names.filter((name) => !wanted.has(name));
  const missing = [...wanted.keys()].filter((name) => !Object.hasOwn(sent, name));
  if (names.length !== wanted.size) {
    throw invalidArgument(
      `input size does not match signature: ${names.length}!=${wanted.size} len(${set(names)}) != ` +
        `len(${set(wanted.keys())}). Sent extra: ${set(extra)}. Missing but required: ${set(missing)}.`,
    );
  }
  const read = (name: string): [string, InputTensor | ComplexTensor] => {
    if (!Object.hasOwn(sent, name)) {
      throw invalidArgument(
        `Signature input alias: ${name}(feed name: ${name}:0) not found in request and no default value provided. ` +
          `Inputs expected to be in the request ${set(names)}, or default input alias set: `,
      );
    }
    return [name, readTensor(name, sent[name] as TensorProto)];
  };
  return new Map([...wanted.keys()].sort().map(read));
}

/**
 * The requested outputs; with an empty filter all outputs, sorted by name.
 * @throws StatusError INVALID_ARGUMENT for unknown or repeated names
 */
export function outputNames({ outputs }: Signature, filter: readonly string[]): string[] {
  filter.forEach((name, at) => {
    if (!outputs.has(name)) {
      throw invalidArgument(
        `output tensor alias not found in signature: ${name} Outputs expected to be in the set ${set(outputs.keys())}.`,
      );
    }
    if (filter.indexOf(name) < at) throw invalidArgument(`duplicate output tensor alias: ${name}`);
  });
  return filter.length > 0 ? [...filter] : [...outputs.keys()].sort();
}

/**
 * The tensors, once their types and shapes fit the signature. TF-Serving leaves this to the graph. Here it happens before
 * the queue, so that an invalid request cannot fail the other requests in its batch.
 * @throws StatusError INVALID_ARGUMENT
 */
export function fitting({ inputs }: Signature, tensors: ReadTensors): Map<string, InputTensor> {
  const all = [...tensors].map(([name, tensor], at): [string, InputTensor] => {
    const { dtype, shape } = inputs.get(name) as ValueInfo;
    if (!('data' in tensor) || tensor.dtype !== dtype) {
      throw invalidArgument(`Expects arg[${at}] to be ${DTYPES[dtype].name} but ${nameOf(tensor)} is provided`);
    }
    // The graph decides what it takes for a scalar.
    const ranked = shape !== undefined && shape.length > 0;
    if (ranked && !isShape(tensor.shape, shape)) {
      throw invalidArgument(`Input ${name} has shape [${tensor.shape}], the model takes ${shapeText(shape)}`);
    }
    return [name, tensor];
  });
  return new Map(all);
}

function nameOf({ dtype }: InputTensor | ComplexTensor): string {
  return isComplex(dtype) ? COMPLEX[dtype].name : DTYPES[dtype].name;
}

function isShape(shape: readonly number[], wanted: readonly number[]): boolean {
  return shape.length === wanted.length && wanted.every((size, axis) => size < 0 || size === shape[axis]);
}

function shapeText(shape: readonly number[]): string {
  return `[${shape.map((size) => (size < 0 ? '?' : size)).join(',')}]`;
}

function set(names: Iterable<string>): string {
  return `{${[...names].sort().join(',')}}`;
}
