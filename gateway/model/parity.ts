/** Parity: replays the pictures next to model.yaml and compares tensors and scores with those of training. */
import path from 'node:path';
import type { RequestContext } from '../domain/request.ts';
import { followsOther, readScoresFile, readTensorsFile, type ScoresFile, type TensorsFile } from './parity-files.ts';
import { hashField, hashFloats, type ReplayParts, replay } from './replay.ts';
import type { Binding } from './signatures.ts';

/** For one proof: all pictures of a slow model, on a server that is busy with clients' requests. */
export const PROOF_TIMEOUT_MS = 120_000;

/**
 * proven: tensors and scores are those of training, or of a model.yaml that a person has confirmed. differing: they are
 * not. unproven: this version has nothing to compare with, or only what model.yaml itself says.
 */
export type Parity = { readonly state: 'proven' | 'unproven' | 'differing'; readonly detail: string };

export type ParityParts = ReplayParts;

/** Whose tensors they are, for details. */
const OWNERS: Readonly<Record<TensorsFile['source'], string>> = {
  training: 'training',
  'model.yaml': 'the conversion',
  confirmed: 'the confirmed model.yaml',
};

/**
 * Proves one version. The tensor of each picture in `parity/tensors.json` must have the hash recorded for its dtype. Where pixels are
 * sent by `signature: auto`, the floats that model.yaml describes must have theirs too: a wrong `scale` is a mistake, also while
 * the graph scales. The scores must match `parity/VERSION.json` within its tolerance. Throws when the model server fails.
 */
export async function proveParity(binding: Binding, parts: ParityParts, context: RequestContext): Promise<Parity> {
  const { card, version } = binding;
  const tensors = await readTensorsFile(card.folder);
  const expected = await readScoresFile(card.folder, version);
  if (!tensors) return { state: 'unproven', detail: `version ${version} has no parity/tensors.json` };
  if (followsOther(tensors, card)) return afterChange(tensors, card.name);
  if (!expected) return { state: 'unproven', detail: `version ${version} has no parity/${version}.json` };
  return (await firstFailure(tensors, expected, binding, { parts, context })) ?? verdict(tensors, card.name);
}

/** model.yaml was changed after the tensors were made, so there is nothing to compare with. */
function afterChange({ source }: TensorsFile, name: string): Parity {
  const next = `if it is right, run: tensorgate models prove ${name}`;
  if (source === 'confirmed') {
    return { state: 'differing', detail: `model.yaml reads pictures in another way than was confirmed; ${next}` };
  }
  return { state: 'unproven', detail: `model.yaml was changed after the conversion; ${next}` };
}

/** The first picture whose tensor or scores differ, or cannot be compared. */
async function firstFailure(
  { source, samples }: TensorsFile,
  expected: ScoresFile,
  binding: Binding,
  { parts, context }: { readonly parts: ParityParts; readonly context: RequestContext },
): Promise<Parity | undefined> {
  const field = hashField(binding);
  const otherTensor = (file: string, field: string, hash: string, wanted: string | undefined) =>
    differing(file, `its tensor has ${field} ${hash}, ${OWNERS[source]} had ${wanted}`);
  for (const { file, [field]: wanted, sha256 } of samples) {
    if (wanted === undefined) return { state: 'unproven', detail: `parity/tensors.json has no ${field} of ${file}` };
    const picture = path.join(binding.card.folder, 'parity', file);
    const { hash, scores } = await replay(picture, binding, parts, context);
    if (hash !== wanted) return otherTensor(file, field, hash, wanted);
    const floats = await hashFloats(picture, binding, parts, context);
    if (floats !== undefined && floats !== sha256) return otherTensor(file, 'sha256', floats, sha256);
    const trained = expected.scores[file] ?? [];
    const difference = Math.max(...scores.map((score, index) => Math.abs(score - (trained[index] ?? Number.NaN))));
    if (scores.length !== trained.length || !(difference <= expected.tolerance)) {
      return differing(file, `its scores differ by ${difference}, allowed are ${expected.tolerance}`);
    }
  }
  return undefined;
}

function differing(file: string, why: string): Parity {
  return { state: 'differing', detail: `parity/${file}: ${why}` };
}

function verdict({ source, samples }: TensorsFile, name: string): Parity {
  if (source === 'model.yaml') {
    const next = `if training read pictures like this, run: tensorgate models prove ${name}`;
    return { state: 'unproven', detail: `pixels as model.yaml has them, scores by this SavedModel; ${next}` };
  }
  const whose = source === 'training' ? "training's tensors" : 'the tensors of the confirmed model.yaml';
  return { state: 'proven', detail: `${samples.length} pictures give ${whose} and scores` };
}
