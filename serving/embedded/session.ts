/** Starts a worker thread with the ONNX sessions of a version, and sends requests to it. */

import { Worker } from 'node:worker_threads';
import { memoriesOf } from './feed.ts';
import type { Outputs, Reply, RunMessage, SessionOptions, Signature, Signatures } from './session-worker.ts';
import { StatusError } from './status.ts';

export type Session = {
  readonly signatures: Signatures;
  /**
   * Runs the model. The memory of the feeds moves to the worker thread: the caller must not read it again. Runs
   * execute in the order of the calls.
   * @throws StatusError INVALID_ARGUMENT or RESOURCE_EXHAUSTED, with ONNX Runtime's text
   */
  run(message: RunMessage): Promise<Outputs>;
  /** Ends the thread after the pending runs. */
  close(): Promise<void>;
};

/**
 * Loads all graphs of a version. As in TensorFlow, the version fails to load if one of its signatures does.
 * @throws StatusError DATA_LOSS for a file that is not an ONNX model or is incomplete, otherwise UNKNOWN
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const worker = new Worker(new URL('./session-worker.ts', import.meta.url), { workerData: options });
  const waiting: PromiseWithResolvers<Reply>[] = [];
  const next = () => {
    const reply = Promise.withResolvers<Reply>();
    waiting.push(reply);
    return reply.promise;
  };
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.on('message', (reply: Reply) => waiting.shift()?.resolve(reply));

  // Only while loading. Later a worker that fails is a bug: its error is uncaught and ends the process.
  const died = Promise.withResolvers<Reply>();
  const onError = (error: Error) => died.resolve({ error: error.message });
  worker.on('error', onError);
  const signatures = new Map<string, Signature>();
  const replies = [...options.graphs].map(([name, file]) => ({ name, file, reply: next() }));
  for (const { name, file, reply } of replies) {
    const loaded = await Promise.race([reply, died.promise]);
    if (!('signature' in loaded)) throw loadError(file, 'error' in loaded ? loaded.error : 'no signature');
    signatures.set(name, loaded.signature);
  }
  worker.off('error', onError);
  return {
    signatures,
    async run(message) {
      worker.postMessage(message, memoriesOf(message.feeds));
      const reply = await next();
      if ('outputs' in reply) return reply.outputs;
      throw runError('error' in reply ? reply.error : 'no outputs');
    },
    async close() {
      worker.postMessage('close');
      await ended;
    },
  };
}

function loadError(file: string, message: string): StatusError {
  return /protobuf parsing failed/i.test(message)
    ? new StatusError('DATA_LOSS', `Can't parse ${file} as binary proto`)
    : new StatusError('UNKNOWN', `Can't load ${file}: ${message}`);
}

function runError(message: string): StatusError {
  const code = /bad_alloc|failed to allocate/i.test(message) ? 'RESOURCE_EXHAUSTED' : 'INVALID_ARGUMENT';
  return new StatusError(code, message);
}
