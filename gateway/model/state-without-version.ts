/** Describes a model without an available version. */
import type { VersionStatus } from '../domain/servable.ts';
import type { GatewayError } from '../errors.ts';
import type { ModelCard } from './card.ts';
import type { ModelState } from './state.ts';
import type { Unreachable } from './unreachable.ts';

export type MissingParts = {
  /** Why the server has no version of the model, if the gateway can see it, such as a missing file. */
  readonly explain: (card: ModelCard) => Promise<string | undefined>;
  readonly unreachable: Unreachable;
};

type Answer = { readonly statuses: readonly VersionStatus[]; readonly failure?: GatewayError | undefined };

/** The state of a model without an available version, by the answer that says most. */
export async function withoutVersion(
  card: ModelCard,
  answers: readonly Answer[],
  { explain, unreachable }: MissingParts,
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
