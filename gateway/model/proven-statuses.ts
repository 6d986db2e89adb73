/** The states of a model's versions as clients may use them: AVAILABLE are those that may answer. */
import type { VersionStatus } from '../domain/servable.ts';
import { mergedStatuses } from './statuses.ts';
import type { ModelVersions } from './versions.ts';

/**
 * Every version that the model servers know, the newest first. One that they have loaded is LOADING until it was checked, and
 * END with the reason if it never answers.
 */
export function provenStatuses(versions: Pick<ModelVersions, 'servers' | 'find' | 'all'>): readonly VersionStatus[] {
  const statuses = mergedStatuses(versions.servers.values()).map((status): VersionStatus => {
    const { version, state } = status;
    if (state !== 'AVAILABLE' || versions.find(version)) return status;
    const verdict = versions.all.find((served) => served.version === version)?.verdict;
    if (verdict?.kind !== 'refused') return { ...status, state: 'LOADING' };
    return { version, state: 'END', error: verdict.problem, code: 'FAILED_PRECONDITION' };
  });
  return statuses.sort((one, other) => other.version - one.version);
}
