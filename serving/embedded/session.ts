/** A version's ONNX sessions in a thread of its own, seen from the server's thread. */

import { isMarkedAsUntransferable, Worker } from 'node:worker_threads';
import type { Outputs, Reply, RunMessage, SessionOptions, Signature, Signatures } from './session-worker.ts';
import { StatusError } from './status.ts';

export type Session = {
  readonly signatures: Signatures;
  /**
   * Runs the model. The buffers behind the feeds are moved to the session's thread: the caller may not read them again.
   * Runs are worked off in the order of the calls. Fails with INVALID_ARGUMENT and ONNX Runtime's text.
   */
  run(message: RunMessage): Promise<Outputs>;
  /** Ends the thread after the runs that were asked for. */
  close(): Promise<void>;
};

/**
 * Loads a version's graphs, all of them: one that is broken makes the version so, as in TensorFlow.
 * @throws StatusError DATA_LOSS for a file that is no ONNX model or not all of it, otherwise UNKNOWN
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

  // Only while loading: later on a thread that dies is a defect, and ends the process as an uncaught error.
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
      worker.postMessage(message, transferable(message));
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

/** The buffers that belong to this request alone. Small messages lie in Node's shared pool, and are copied instead. */
function transferable({ feeds }: RunMessage): ArrayBuffer[] {
  const buffers = feeds.flatMap(({ parts }) => parts.flatMap((part) => (Array.isArray(part) ? [] : [part.buffer])));
  return [...new Set(buffers)].filter((buffer) => !isMarkedAsUntransferable(buffer));
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
