/** Batching: joins several requests along the first axis and splits the outputs again. */

import type { Feed } from './feed.ts';
import type { Outputs, Signature } from './session-worker.ts';
import { failedPrecondition, invalidArgument } from './status.ts';
import type { InputTensor, OutputTensor } from './tensor.ts';

/** One request: its signature, its tensors by input name and the names of the requested outputs. */
export type Tensors = {
  readonly signature: string;
  readonly feeds: ReadonlyMap<string, InputTensor>;
  readonly fetches: readonly string[];
};

/** A signature can be batched only if the first axis of every input and output has a variable size. */
export function isBatchable({ inputs, outputs }: Signature): boolean {
  return [...inputs.values(), ...outputs.values()].every(({ shape }) => shape?.[0] === -1);
}

/**
 * The length of the first axis. All inputs must have the same length, otherwise the rows of other requests in the batch
 * would shift.
 * @throws StatusError INVALID_ARGUMENT with TF-Serving's texts, if the lengths differ or exceed maxBatchSize
 */
export function rowsOf(feeds: ReadonlyMap<string, InputTensor>, maxBatchSize: number): number {
  const sizes = [...feeds.values()].map(({ shape }) => shape[0]);
  const [rows = 1] = sizes;
  if (sizes.some((size) => size !== rows)) {
    throw invalidArgument('Batching Run() input tensors must have equal 0th-dimension size');
  }
  if (rows > maxBatchSize) {
    throw invalidArgument(`Task size ${rows} is larger than maximum input batch size ${maxBatchSize}`);
  }
  return rows;
}

/** Requests with equal keys can share a run. Key: signature, requested outputs, input shapes without the first axis. */
export function keyOf({ signature, feeds, fetches }: Tensors): string {
  return JSON.stringify([signature, fetches, [...feeds].map(([name, { shape }]) => [name, shape.slice(1)])]);
}

/** The feeds of all requests, concatenated along the first axis. */
export function joinFeeds(batch: readonly Tensors[]): Feed[] {
  const [first, ...others] = batch;
  return [...(first?.feeds ?? [])].map(([name, { dtype, shape, data }]) => {
    if (others.length === 0) return { name, dtype, shape, parts: [data] };
    const tensors = batch.flatMap(({ feeds }) => feeds.get(name) ?? []);
    const rows = tensors.reduce((total, tensor) => total + (tensor.shape[0] ?? 0), 0);
    return { name, dtype, shape: [rows, ...shape.slice(1)], parts: tensors.map((tensor) => tensor.data) };
  });
}

/**
 * Splits the outputs of a run into the outputs of each request.
 * @param rows the number of rows of each request
 * @throws StatusError FAILED_PRECONDITION with TF-Serving's text, if an output's first axis is not the sum of all rows
 */
export function splitOutputs(outputs: Outputs, rows: readonly number[]): Outputs[] {
  if (rows.length === 1) return [outputs];
  const total = rows.reduce((sum, count) => sum + count, 0);
  if ([...outputs.values()].some(({ shape }) => shape[0] !== total)) {
    throw failedPrecondition(
      "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of the input tensors",
    );
  }
  let end = 0;
  return rows.map((count) => {
    const start = end;
    end += count;
    return new Map([...outputs].map(([name, output]) => [name, rowsBetween(output, start, end)]));
  });
}

function rowsBetween({ dtype, shape, data }: OutputTensor, start: number, end: number): OutputTensor {
  const [rows = 1, ...inner] = shape;
  const length = rows === 0 ? 0 : data.length / rows;
  const part = Array.isArray(data)
    ? data.slice(start * length, end * length)
    : data.subarray(start * length, end * length);
  return { dtype, shape: [end - start, ...inner], data: part };
}
