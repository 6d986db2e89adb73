/** Lists the models: what a client needs to know to send a request, and the state of each version. */
import type { ScoreKind } from '../domain/scores.ts';
import type { ServableState } from '../domain/servable.ts';
import type { Signature } from '../domain/tensor.ts';
import type { ModelCard } from './card.ts';
import type { Parity } from './parity.ts';
import type { ModelState } from './state.ts';
import { mergedStatuses } from './statuses.ts';
import type { ModelVersions } from './versions.ts';

export type ListedVersion = {
  readonly version: number;
  /** AVAILABLE where one of the servers has loaded it. */
  readonly state: ServableState;
  /** Why it never answers. */
  readonly problem?: string;
};

export type ListedModel = {
  readonly name: string;
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly problem?: string;
  /** The version for requests that name none. */
  readonly version?: number;
  readonly parity?: Parity['state'];
  /** What a request contains. Absent while model.yaml has mistakes. */
  readonly takes?: 'images' | 'tensors';
  readonly classes?: readonly string[];
  /** What the model gives for its classes. */
  readonly scores?: ScoreKind;
  /** The inputs and outputs of a model that takes tensors. */
  readonly signature?: Signature;
  /** Every version that the model servers know, lowest first. Empty if they cannot be asked. */
  readonly versions: readonly ListedVersion[];
};

export type ListOptions = {
  readonly cards: ReadonlyMap<string, ModelCard>;
  /** By the model's name, or by its folder's where model.yaml has mistakes. */
  readonly states: ReadonlyMap<string, ModelState>;
  readonly versions: (model: string) => Pick<ModelVersions, 'servers' | 'newest' | 'find'> | undefined;
};

/** Every model with what the last polls of its servers have found. */
export function listModels({ cards, states, versions: find }: ListOptions): ListedModel[] {
  return [...states].map(([name, state]): ListedModel => {
    const card = cards.get(name);
    const { version, parity, problem } = state;
    const shown = {
      name,
      ready: problem === undefined,
      ...(problem !== undefined && { problem }),
      ...(version !== undefined && { version }),
      ...(parity && { parity: parity.state }),
    };
    if (!card) return { ...shown, versions: [] };
    const versions = find(name);
    const usual = version === undefined ? versions?.newest : versions?.find(version);
    const signature = card.image ? undefined : usual?.metadata.signatures.get(card.signature);
    return {
      ...shown,
      takes: card.image ? 'images' : 'tensors',
      ...(card.classes && { classes: card.classes, scores: card.scores }),
      ...(signature && { signature }),
      versions: listVersions(state, versions),
    };
  });
}

function listVersions({ refused = [] }: ModelState, versions: Pick<ModelVersions, 'servers'> | undefined) {
  const listed = mergedStatuses(versions?.servers.values() ?? []).map(({ version, state }): ListedVersion => {
    const problem = refused.find((one) => one.version === version)?.problem;
    return { version, state, ...(problem !== undefined && { problem }) };
  });
  return listed.sort((a, b) => a.version - b.version);
}
