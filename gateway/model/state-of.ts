/** Describes a model by what is known of its versions: ready with a version, or the reason why not. */
import type { Traffic } from '../domain/traffic.ts';
import type { ModelCard } from './card.ts';
import type { Served } from './served.ts';
import { type Split, stableChoice } from './splits.ts';
import type { CanaryState, ModelState } from './state.ts';
import { type MissingParts, withoutVersion } from './state-without-version.ts';
import type { ModelVersions } from './versions.ts';

export type StateParts = MissingParts & {
  /** Why the guard has taken the share of the canary. Unset, or undefined: it has not. */
  readonly withdrawal?: (card: ModelCard) => string | undefined;
};

/** The state; undefined while there is no answer of a server to tell. Problems are public: no addresses, no texts of libraries. */
export async function stateOf(
  card: ModelCard,
  versions: ModelVersions,
  split: Split,
  parts: StateParts,
): Promise<ModelState | undefined> {
  const canary = canaryOf(card.traffic, split, versions, parts.withdrawal?.(card));
  const choice = stableChoice(versions, split);
  const state = choice
    ? { version: choice.version, parity: choice.parity, ...allRefused(versions) }
    : await problemOf(card, versions, split, parts);
  return state && { ...state, ...(canary && { canary }) };
}

/** Why no version can answer a request that names none. */
async function problemOf(
  card: ModelCard,
  versions: ModelVersions,
  split: Split,
  parts: StateParts,
): Promise<ModelState | undefined> {
  const servers = [...versions.servers.values()];
  const isKnown = servers.some(({ statuses }) => statuses.length > 0);
  if (split.isPinned && isKnown) {
    const { problem, isPending } = problemOfVersion(card.traffic?.stable, split.stable, versions);
    const state = { problem: `the stable version cannot answer: ${problem}`, ...(isPending && { isPending }) };
    return { ...state, ...allRefused(versions) };
  }
  const all = versions.all.filter(({ version }) => version !== split.canary);
  const open = all.find(({ verdict }) => verdict.kind === 'open');
  if (open) return ofOpen(open);
  const [first] = refusedOf(all);
  if (first) return { ...first, ...allRefused(versions) };
  if (versions.all.length > 0) return { problem: 'no version but the canary can answer' };
  return withoutVersion(card, servers, parts);
}

type Problem = { readonly problem: string; readonly isPending?: true };

/** Why a version that model.yaml names cannot answer. `name`: as it is there. `number`: undefined for a label that no server has. */
export function problemOfVersion(
  name: string | number | undefined,
  number: number | undefined,
  versions: Pick<ModelVersions, 'all' | 'servers'>,
): Problem {
  if (number === undefined) return { problem: `no version has the label ${name}` };
  const served = versions.all.filter(({ version }) => version === number);
  const open = served.find(({ verdict }) => verdict.kind === 'open');
  if (open) return ofOpen(open);
  const [refused] = refusedOf(served);
  if (refused) return { problem: `version ${number}: ${refused.problem}` };
  const statuses = [...versions.servers.values()].flatMap((server) => server.statuses);
  const [status] = statuses.filter(({ version }) => version === number);
  if (!status || status.state === 'END') return { problem: `no model server has version ${number}` };
  // Its signatures are being read, or the server loads it.
  return {
    problem: `version ${number} is ${status.state === 'AVAILABLE' ? 'being checked' : status.state}`,
    isPending: true,
  };
}

function ofOpen({ version, verdict }: Served): Problem {
  if (verdict.kind === 'open' && verdict.problem !== undefined) return { problem: verdict.problem };
  return { problem: `version ${version} is being checked`, isPending: true };
}

/** The canary of model.yaml, and why it gets no requests. */
function canaryOf(
  traffic: Traffic | undefined,
  { canary: number }: Split,
  versions: ModelVersions,
  withdrawal: string | undefined,
): CanaryState | undefined {
  if (!traffic?.canary) return undefined;
  const { version, share } = traffic.canary;
  if (withdrawal !== undefined) return { version, share, problem: `the guard has taken its share: ${withdrawal}` };
  if (number !== undefined && versions.find(number)) return { version, share };
  return { version, share, problem: problemOfVersion(version, number, versions).problem };
}

function allRefused({ all }: Pick<ModelVersions, 'all'>): Pick<ModelState, 'refused'> {
  const refused = refusedOf(all);
  return refused.length > 0 ? { refused } : {};
}

/** The versions that never answer, newest first. One that may answer on another server is not one of them. */
function refusedOf(all: readonly Served[]): NonNullable<ModelState['refused']> {
  const refused = new Map<number, NonNullable<ModelState['refused']>[number]>();
  for (const { version, verdict } of all) {
    if (verdict.kind !== 'refused') continue;
    const { kind: _, ...why } = verdict;
    refused.set(version, { version, ...why });
  }
  return [...refused.values()];
}
