/** How far a server has come after a push or a rollback, by its report. */
import type { VersionStatus } from '../../domain/servable.ts';
import type { Report } from './servers.ts';

/** `failed`: the server will not reach the goal. `text` describes its state. */
export type Progress = { readonly state: 'reached' | 'failed' | 'waiting'; readonly text: string };

export type Goal = (report: Report) => Progress;

/** The goal of a push: the new version is AVAILABLE. */
export function pushGoal(version: number): Goal {
  return (report) => {
    const found = statusOf(report, version);
    const text = describe(report, version);
    if (found?.state === 'AVAILABLE') return { state: 'reached', text };
    // The number is new: END means that the version could not be loaded, or that a newer one replaced it.
    if (found?.state === 'END')
      return { state: 'failed', text: found.error ? text : `${text}: a newer version took its place` };
    return { state: 'waiting', text };
  };
}

/** The goal of a rollback: the earlier version is AVAILABLE and the withdrawn versions are unloaded. */
export function rollbackGoal(version: number, withdrawn: readonly number[]): Goal {
  return (report) => {
    const found = statusOf(report, version);
    const left = withdrawn.filter((gone) => (statusOf(report, gone)?.state ?? 'END') !== 'END');
    const text = [version, ...left].map((one) => describe(report, one)).join(', ');
    if (found?.state === 'AVAILABLE' && left.length === 0) return { state: 'reached', text };
    // Until the server polls again, the version may still be END, without an error, from when it was replaced.
    if (found?.state === 'END' && found.error) return { state: 'failed', text };
    return { state: 'waiting', text };
  };
}

/** `version 3 LOADING`, with the server's error if there is one. */
function describe(report: Report, version: number): string {
  if (report.trouble !== undefined) return report.trouble;
  const found = statusOf(report, version);
  if (found) return `version ${version} ${found.state}${found.error && `: ${found.error}`}`;
  const others = report.versions.filter(({ state }) => state === 'AVAILABLE').map((other) => other.version);
  return `version ${version} not seen yet${others.length > 0 ? `, ${others.join(' and ')} AVAILABLE` : ''}`;
}

function statusOf({ versions }: Report, version: number): VersionStatus | undefined {
  return versions.find((one) => one.version === version);
}
