/** Describes a model by what is known of its versions: ready with a version, or the reason why not. */
import type { VersionStatus } from '../domain/servable.ts';
import type { GatewayError } from '../errors.ts';
import type { ModelCard } from './card.ts';
import type { Served } from './served.ts';
import type { ModelState } from './state.ts';
import type { Unreachable } from './unreachable.ts';
import type { ModelVersions } from './versions.ts';

export type StateParts = {
  /** Why the server has no version of the model, if the gateway can see it, such as a missing file. */
  readonly explain: (card: ModelCard) => Promise<string | undefined>;
  readonly unreachable: Unreachable;
};

/** The state; undefined while there is no answer of a server to tell. Problems are public: no addresses, no texts of libraries. */
export async function stateOf(
  card: ModelCard,
  versions: ModelVersions,
  parts: StateParts,
): Promise<ModelState | undefined> {
  const { newest, all } = versions;
  const refused = refusedOf(all);
  const others = refused.length > 0 && { refused };
  if (newest) return { version: newest.version, parity: newest.parity, ...others };
  const open = all.find(({ verdict }) => verdict.kind === 'open');
  if (open?.verdict.kind === 'open') {
    const { problem } = open.verdict;
    return problem ? { problem } : { problem: `version ${open.version} is being checked`, isPending: true };
  }
  const [first] = refused;
  if (first) return { ...first, ...others };
  return withoutVersion(card, [...versions.servers.values()], parts);
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

type Answer = { readonly statuses: readonly VersionStatus[]; readonly failure?: GatewayError | undefined };

/** The state of a model without an available version, by the answer that says most. */
async function withoutVersion(
  card: ModelCard,
  answers: readonly Answer[],
  { explain, unreachable }: StateParts,
): Promise<ModelState | undefined> {
  if (answers.length === 0) return undefined;
  const failures = answers.flatMap(({ failure }) => failure ?? []);
  const statuses = answers.flatMap((answer) => answer.statuses);
  if (statuses.some(({ state }) => state === 'AVAILABLE')) return undefined; // its signatures are being read
  const isMissing = failures.length < answers.length || failures.some(({ kind }) => kind === 'model_not_found');
  if (isMissing) return missing(statuses, (await explain(card)) ?? '', failures);
  if (failures.some(({ kind }) => kind === 'overloaded' || kind === 'model_timeout')) {
    return { problem: 'the model server is too busy to look up the model' };
  }
  const other = failures.find(({ kind }) => kind !== 'model_unavailable');
  if (other) return { problem: other.message };
  const state = { problem: failures[0]?.message ?? '', detail: await unreachable.reason() };
  // Servers of one model do not keep the gateway from serving the others.
  return card.backend ? state : { ...state, isPending: true };
}

/** The server's own texts may contain paths: they are the detail. */
function missing(statuses: readonly VersionStatus[], explained: string, failures: readonly GatewayError[]): ModelState {
  const states = new Set(
    statuses.map(({ version, state, error }) => `version ${version} is ${state}${error && ' and failed'}`),
  );
  const errors = new Set(statuses.flatMap(({ version, error }) => (error ? `version ${version}: ${error}` : [])));
  const notFound = failures.find(({ kind }) => kind === 'model_not_found')?.message;
  const problem = explained || [...states].join('; ') || (notFound ?? 'the model server has no version of the model');
  return { problem, ...(errors.size > 0 && { detail: [...errors].join('; ') }) };
}
