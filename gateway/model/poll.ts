/** One poll of a model at one server: which versions it has, and their signatures. */
import { performance } from 'node:perf_hooks';
import type { Backend } from '../domain/backend.ts';
import type { VersionStatus } from '../domain/servable.ts';
import { asGatewayError } from '../errors.ts';
import type { ModelVersions } from './versions.ts';

/** A server that is busy with predictions may take seconds for a look-up. */
const LOOK_UP_TIMEOUT_MS = 30_000;

/** Signatures are read again after this time: a server may have replaced the folder of a version. */
const METADATA_AGE_MS = 10_000;

/** Versions of a model to know on each server: those that are available, and the newest. A server may list thousands. */
export const MAX_VERSIONS = 32;

export type ServerPoll = {
  readonly backend: Pick<Backend, 'metadata' | 'status'>;
  readonly model: string;
  readonly server: string;
  readonly versions: ModelVersions;
  /** Metadata that were read before are read again, in milliseconds of `performance.now()`. */
  readonly staleMs: number;
  readonly signal: AbortSignal;
};

/** Polls and writes the answers to `versions`. Never rejects. */
export async function pollServer({ backend, model, server, versions, staleMs, signal }: ServerPoll): Promise<void> {
  const lookUpSignal = AbortSignal.any([signal, AbortSignal.timeout(LOOK_UP_TIMEOUT_MS)]);
  try {
    const statuses = knownOf(await backend.status(model, lookUpSignal, server));
    versions.setStatuses(server, statuses);
    const available = statuses.filter(({ state }) => state === 'AVAILABLE').map(({ version }) => version);
    for (const version of available) {
      const { readMs = Number.NEGATIVE_INFINITY } = versions.servers.get(server)?.versions.get(version) ?? {};
      if (readMs >= Math.max(staleMs, performance.now() - METADATA_AGE_MS)) continue;
      try {
        versions.setMetadata(server, version, await backend.metadata({ model, version }, lookUpSignal, server));
      } catch (thrown) {
        if (asGatewayError(thrown).kind !== 'model_not_found') throw thrown;
        versions.forget(server, version); // unloaded since
      }
    }
  } catch (thrown) {
    if (!signal.aborted) versions.setFailure(server, asGatewayError(thrown));
  }
}

/** Available versions first, then the newest. */
function knownOf(statuses: readonly VersionStatus[]): readonly VersionStatus[] {
  const rank = ({ state }: VersionStatus) => (state === 'AVAILABLE' ? 0 : 1);
  const sorted = statuses.toSorted((one, other) => rank(one) - rank(other) || other.version - one.version);
  return sorted.slice(0, MAX_VERSIONS);
}
