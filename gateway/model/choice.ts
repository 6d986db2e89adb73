/** Chooses the servers of a version, and the version of requests that name none. */
import { isDeepStrictEqual } from 'node:util';
import type { Metadata } from '../domain/servable.ts';
import type { Parity } from './parity.ts';
import type { Served } from './served.ts';
import type { Binding } from './signatures.ts';

/** A version that may answer, on these servers. They have the same signatures, so one binding fits all. */
export type Choice = {
  readonly version: number;
  readonly metadata: Metadata;
  readonly parity: Parity;
  /** Absent for a model that takes tensors. */
  readonly binding?: Binding;
  readonly servers: ReadonlySet<string>;
};

/**
 * The servers where one version may answer. Where a folder was replaced under the same number, servers have different
 * signatures for a while, or only some are proven with pixels: those that most have are chosen.
 */
export function chooseServers(served: readonly Served[]): Choice | undefined {
  const groups: Choice[] = [];
  for (const { server, version, metadata, verdict } of served) {
    if (verdict.kind !== 'usable') continue;
    const { parity, binding } = verdict;
    const same = groups.findIndex(
      (group) =>
        group.binding?.signature === binding?.signature &&
        isDeepStrictEqual(group.metadata.signatures, metadata.signatures),
    );
    const group = groups[same] ?? { version, metadata, parity, ...(binding && { binding }), servers: new Set() };
    groups[same < 0 ? groups.length : same] = { ...group, servers: new Set([...group.servers, server]) };
  }
  return groups.sort((one, other) => other.servers.size - one.servers.size)[0];
}

/**
 * The newest version that at least half of the servers have. While servers are updated one by one, a single new one would
 * otherwise get all requests. If no version reaches half: the one that most servers have, the newer of equals. The version in
 * use does not make room for an older one while a third of the servers has it: one that is away for a moment must not send all
 * requests back.
 */
export function chooseVersion(choices: readonly Choice[], inUse?: number): Choice | undefined {
  const servers = new Set(choices.flatMap((choice) => [...choice.servers]));
  const newestFirst = choices.toSorted((one, other) => other.version - one.version);
  const byShare = newestFirst.toSorted((one, other) => other.servers.size - one.servers.size);
  const chosen = newestFirst.find((choice) => choice.servers.size * 2 >= servers.size) ?? byShare[0];
  const kept = newestFirst.find(({ version }) => version === inUse);
  if (!chosen || !kept || kept.version < chosen.version) return chosen;
  return kept.servers.size * 3 >= servers.size ? kept : chosen;
}
