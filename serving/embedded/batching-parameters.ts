/** --batching_parameters_file: how requests are combined into one run. */

import { invalidArgument } from './status.ts';
import { readTextFile } from './text-file.ts';

export type BatchingParameters = {
  /** Maximum rows of the first axis in one run. */
  readonly maxBatchSize: number;
  /** How long a batch that is not full waits for more requests while the session is free. */
  readonly timeoutMs: number;
};

const INTEGER = { value: 'int' } as const;
/** tensorflow.serving.BatchingParameters. Only the first two are used; the others are accepted and ignored. */
const SCHEMA = {
  max_batch_size: INTEGER,
  batch_timeout_micros: INTEGER,
  max_enqueued_batches: INTEGER,
  num_batch_threads: INTEGER,
  thread_pool_name: { value: 'string' },
  allowed_batch_sizes: ['int'],
  pad_variable_length_inputs: 'bool',
} as const;

/** TF-Serving's defaults: up to 1000 rows, no wait for further requests. */
const DEFAULT_MAX_BATCH_SIZE = 1000;
const DEFAULT_TIMEOUT_MICROS = 0;

/** @param path empty for the defaults. @throws StatusError if the file cannot be read or a value is out of range */
export async function readBatchingParameters(path: string): Promise<BatchingParameters> {
  if (path === '') return { maxBatchSize: DEFAULT_MAX_BATCH_SIZE, timeoutMs: DEFAULT_TIMEOUT_MICROS / 1000 };
  const file = await readTextFile(path, SCHEMA);
  const maxBatchSize = file.max_batch_size?.value ?? DEFAULT_MAX_BATCH_SIZE;
  const timeoutMicros = file.batch_timeout_micros?.value ?? DEFAULT_TIMEOUT_MICROS;
  if (maxBatchSize < 1) throw invalidArgument(`max_batch_size must be positive; was ${maxBatchSize}`);
  if (timeoutMicros < 0) throw invalidArgument(`batch_timeout_micros must be non-negative; was ${timeoutMicros}`);
  return { maxBatchSize, timeoutMs: timeoutMicros / 1000 };
}
