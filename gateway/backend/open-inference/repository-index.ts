/** The index of a server's repository: the versions that are not ready, which ModelMetadata does not list. */
import { performance } from 'node:perf_hooks';
import { message } from '../../tensor/message.ts';
import type { LookUpCall } from '../grpc/look-up-call.ts';
import { type Listed, readIndex } from './look-up-responses.ts';

/** The index has all models of a server. One answer serves the polls of all of them for so long. */
const FRESH_MS = 2000;

type Asked = { readonly atMs: number; readonly listed: Promise<readonly Listed[]> };

/** Lists the versions of a model that were ever loaded, with their states and why one is not ready. */
export type ListVersions = (model: string, server: string | undefined) => Promise<readonly Listed[]>;

/** Makes the look-up. RepositoryIndex is an extension, and may not be permitted: then no version is listed. */
export function createRepositoryIndex(path: string, call: LookUpCall): ListVersions {
  const byServer = new Map<string | undefined, Asked>();
  function ask(server: string | undefined): Asked {
    const nowMs = performance.now();
    for (const [key, { atMs }] of byServer) if (nowMs - atMs >= FRESH_MS) byServer.delete(key);
    const signal = AbortSignal.timeout(10_000);
    const none = (): readonly Listed[] => [];
    const asked = byServer.get(server) ?? {
      atMs: nowMs,
      listed: call(path, message([]), signal, server).then(readIndex, none),
    };
    byServer.set(server, asked);
    return asked;
  }
  return async (model, server) => {
    const listed = await ask(server).listed;
    return listed.filter(({ name, state }) => name === model && state !== undefined);
  };
}
