/** Lists the models: what a client needs to know to send a request, and the state of each version. */
import type { Backend } from '../domain/backend.ts';
import type { ServableState } from '../domain/servable.ts';
import type { Signature } from '../domain/tensor.ts';
import type { ModelCard } from './card.ts';
import type { Parity } from './parity.ts';
import { findSignature } from './signatures.ts';
import type { ModelState } from './state.ts';

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
  /** The inputs and outputs of a model that takes tensors. */
  readonly signature?: Signature;
  /** Every version that the model server knows, lowest first. Empty if it cannot be asked. */
  readonly versions: readonly { readonly version: number; readonly state: ServableState }[];
};

export type ListOptions = {
  readonly cards: ReadonlyMap<string, ModelCard>;
  /** By the model's name, or by its folder's where model.yaml has mistakes. */
  readonly states: ReadonlyMap<string, ModelState>;
  readonly backend: Pick<Backend, 'status' | 'metadata'>;
};

/** Asks the model server for the versions of every model. Leaves out what it does not answer. */
export function listModels({ cards, states, backend }: ListOptions, signal: AbortSignal): Promise<ListedModel[]> {
  const listed = [...states].map(async ([name, state]): Promise<ListedModel> => {
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
    const [versions, signature] = await Promise.all([
      versionsOf(name, backend, signal),
      card.image ? undefined : signatureOf(card, backend, signal),
    ]);
    return {
      ...shown,
      takes: card.image ? 'images' : 'tensors',
      ...(card.classes && { classes: card.classes }),
      ...(signature && { signature }),
      versions,
    };
  });
  return Promise.all(listed);
}

async function versionsOf(model: string, backend: Pick<Backend, 'status'>, signal: AbortSignal) {
  const versions = await backend.status(model, signal).catch(() => []);
  return versions.map(({ version, state }) => ({ version, state })).sort((a, b) => a.version - b.version);
}

/** The signature of the latest version; undefined if there is none. */
async function signatureOf(card: ModelCard, backend: Pick<Backend, 'metadata'>, signal: AbortSignal) {
  try {
    return findSignature(card, await backend.metadata({ model: card.name }, signal));
  } catch {
    return undefined; // the model's state has the reason
  }
}
