/** Refuses a changed model.yaml whose traffic would leave requests without a version. */
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ModelCard } from './card.ts';
import type { ModelFolders } from './folders.ts';
import { type Split, stableChoice } from './splits.ts';
import { problemOfVersion } from './state-of.ts';
import type { WatchedModel } from './watch-model.ts';

/**
 * The folders with the card in use in place of each card whose stable version cannot answer while that of the one in use can.
 * `find`: what is known of a model that is watched. A refused file is tried again whenever the folders are read.
 */
export async function acceptableFolders(
  folders: ModelFolders,
  find: (name: string) => WatchedModel | undefined,
): Promise<ModelFolders> {
  const cards = new Map(folders.cards);
  const mistakes = new Map(folders.mistakes);
  for (const [name, card] of folders.cards) {
    const model = find(name);
    const problem = model && model.card !== card ? await problemOf(card, model) : undefined;
    if (!model || problem === undefined) continue;
    cards.set(name, model.card);
    const folder = path.basename(card.folder);
    // A file with another mistake has the last card that was valid.
    if (mistakes.has(folder)) continue;
    mistakes.set(folder, `${folder}/model.yaml: traffic: the stable version cannot answer: ${problem}`);
  }
  return { ...folders, cards, mistakes };
}

/** Why a card cannot take over. Undefined where it can, or where the one in use is no better. */
async function problemOf({ traffic, backend }: ModelCard, model: WatchedModel): Promise<string | undefined> {
  const { card, versions, splits } = model;
  // What is known of other servers does not hold.
  if (isDeepStrictEqual(traffic, card.traffic) || !isDeepStrictEqual(backend, card.backend)) return undefined;
  const inUse = await splits.of(card.traffic).catch(() => undefined);
  if (!inUse || !stableChoice(versions, inUse)) return undefined;
  const split = await splits.find(traffic).catch(() => undefined);
  if (!split) return 'the model servers cannot say which version has its label';
  return stableChoice(versions, split) ? undefined : whyNot(split, traffic?.stable, model);
}

function whyNot({ isPinned, stable }: Split, name: string | number | undefined, { versions }: WatchedModel): string {
  return isPinned ? problemOfVersion(name, stable, versions).problem : 'no version but the canary is there';
}
