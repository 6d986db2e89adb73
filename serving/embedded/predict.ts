/** The checks of a Predict request, in TF-Serving's order and with its error texts. */

import { DTYPES } from './dtype.ts';
import type { PredictRequest, TensorProto } from './protocol.ts';
import type { Signature, Signatures } from './session-worker.ts';
import { failedPrecondition, invalidArgument } from './status.ts';
import { type InputTensor, readTensor } from './tensor.ts';

/** The signature with this name. @throws StatusError FAILED_PRECONDITION if the version does not have it */
export function findSignature(signatures: Signatures, name: string): Signature {
  const signature = signatures.get(name);
  if (signature === undefined) throw failedPrecondition(`Serving signature key "${name}" not found.`);
  return signature;
}

/**
 * The request's tensors by input name.
 * @throws StatusError INVALID_ARGUMENT for missing or extra inputs and invalid tensors
 */
export function readInputs({ inputs: wanted }: Signature, sent: PredictRequest['inputs']): Map<string, InputTensor> {
  const names = Object.keys(sent);
  const extra = names.filter((name) => !wanted.has(name));
  const missing = [...wanted.keys()].filter((name) => !Object.hasOwn(sent, name));
  if (names.length !== wanted.size) {
    throw invalidArgument(
      `input size does not match signature: ${names.length}!=${wanted.size} len(${set(names)}) != ` +
        `len(${set(wanted.keys())}). Sent extra: ${set(extra)}. Missing but required: ${set(missing)}.`,
    );
  }
  const read = (name: string): [string, InputTensor] => {
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
 * Checks types and shapes against the signature. TF-Serving leaves this to the graph. Here it happens before the queue,
 * so that an invalid request cannot fail the other requests in its batch.
 * @throws StatusError INVALID_ARGUMENT
 */
export function checkTensors({ inputs }: Signature, tensors: ReadonlyMap<string, InputTensor>): void {
  [...tensors].forEach(([name, { dtype, shape }], at) => {
    const wanted = inputs.get(name);
    if (wanted === undefined) return;
    if (dtype !== wanted.dtype) {
      throw invalidArgument(
        `Expects arg[${at}] to be ${DTYPES[wanted.dtype].name} but ${DTYPES[dtype].name} is provided`,
      );
    }
    // An empty shape may also mean an unknown rank.
    const ranked = wanted.shape.length > 0;
    const fits = shape.length === wanted.shape.length && wanted.shape.every((size, i) => size < 0 || size === shape[i]);
    if (ranked && !fits) {
      throw invalidArgument(`Input ${name} has shape [${shape}], the model takes ${shapeText(wanted.shape)}`);
    }
  });
}

function shapeText(shape: readonly number[]): string {
  return `[${shape.map((size) => (size < 0 ? '?' : size)).join(',')}]`;
}

function set(names: Iterable<string>): string {
  return `{${[...names].sort().join(',')}}`;
}
