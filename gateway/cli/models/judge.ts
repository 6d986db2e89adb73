/** Reads from what a server reports how far it has come. */
import type { VersionStatus } from '../../domain/servable.ts';
import type { Report } from './servers.ts';

/** `failed`: the goal will not be reached. `text` says in a few words where the server stands. */
export type Judgement = { readonly state: 'reached' | 'failed' | 'waiting'; readonly text: string };

/** The goal of a push: the new version is AVAILABLE. */
export function isLoaded(version: number): (report: Report) => Judgement {
  return (report) => {
    const found = statusOf(report, version);
    const text = describe(report, version);
    if (found?.state === 'AVAILABLE') return { state: 'reached', text };
    // Its number is new, so an END is no old one: it could not be loaded, or a newer version has taken its place.
    if (found?.state === 'END')
      return { state: 'failed', text: found.error ? text : `${text}: a newer version took its place` };
    return { state: 'waiting', text };
  };
}

/** The goal of a rollback: the earlier version is AVAILABLE, and those that were withdrawn are gone. */
export function isRolledBack(version: number, withdrawn: readonly number[]): (report: Report) => Judgement {
  return (report) => {
    const found = statusOf(report, version);
    const left = withdrawn.filter((gone) => (statusOf(report, gone)?.state ?? 'END') !== 'END');
    const text = [version, ...left].map((one) => describe(report, one)).join(', ');
    if (found?.state === 'AVAILABLE' && left.length === 0) return { state: 'reached', text };
    // Before the server looks again, the version may still stand as END from when it was replaced, without an error.
    if (found?.state === 'END' && found.error) return { state: 'failed', text };
    return { state: 'waiting', text };
  };
}

/** `version 3 LOADING`, with the server's own words where it failed. */
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
