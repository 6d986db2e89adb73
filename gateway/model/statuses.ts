/** The states of a model's versions, as all of its servers tell them. */
import type { VersionStatus } from '../domain/servable.ts';

/** Each version once, in the best state that a server tells: AVAILABLE where one of them has loaded it. */
export function mergedStatuses(
  servers: Iterable<{ readonly statuses: readonly VersionStatus[] }>,
): readonly VersionStatus[] {
  const merged = new Map<number, VersionStatus>();
  for (const { statuses } of servers) {
    for (const status of statuses) {
      if (merged.get(status.version)?.state !== 'AVAILABLE') merged.set(status.version, status);
    }
  }
  return [...merged.values()];
}
