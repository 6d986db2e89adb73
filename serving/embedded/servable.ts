/** One loaded version of a model. */

import type { BatchingParameters } from './batching-parameters.ts';
import { DEFAULT_SIGNATURE } from './protocol.ts';
import { type Run, RunQueue } from './run-queue.ts';
import { openSession } from './session.ts';
import type { Outputs, Signatures } from './session-worker.ts';
import { notFound } from './status.ts';
import type { VersionFiles } from './storage-path.ts';

/** Settings that apply to all models. */
export type Runtime = {
  readonly intraOpThreads: number;
  /** undefined: one request per run. */
  readonly batching: BatchingParameters | undefined;
};

export type Servable = {
  readonly name: string;
  readonly version: number;
  readonly signatures: Signatures;
  /** See RunQueue.run. */
  run(run: Run): Promise<Outputs>;
  /** Waits for queued and running requests, then frees the memory. */
  close(): Promise<void>;
};

/** Loads a version. @throws StatusError NOT_FOUND if model.onnx is missing; errors of openSession */
export async function loadServable(
  id: { readonly name: string; readonly version: number },
  { graphs, stamp }: VersionFiles,
  { intraOpThreads, batching }: Runtime,
): Promise<Servable> {
  if (stamp === 'absent') {
    throw notFound(
      `Could not find ${graphs.get(DEFAULT_SIGNATURE)}. Check that the file exists and that you have the right permissions for accessing it.`,
    );
  }
  const session = await openSession({ graphs, intraOpThreads });
  const queue = new RunQueue(session, batching);
  return {
    ...id,
    signatures: session.signatures,
    run: (run) => queue.run(run),
    async close() {
      await queue.idle();
      await session.close();
    },
  };
}
