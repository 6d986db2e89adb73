/** `tensorgate models prove`: a person confirms that training read pictures as model.yaml says. */
import path from 'node:path';
import type { Config } from '../../config/schema.ts';
import { ownContext } from '../../domain/context.ts';
import type { RequestContext } from '../../domain/request.ts';
import { type ModelCard, parseCard } from '../../model/card.ts';
import { PROOF_TIMEOUT_MS } from '../../model/parity.ts';
import { hashField, type ReplayParts, replay } from '../../model/replay.ts';
import { bind, SignatureMismatch } from '../../model/signatures.ts';
import { openProof } from '../../wiring/proof.ts';
import type { ModelsContext } from './context.ts';
import { refused, writeFailure } from './failure.ts';
import { modelPath } from './model-folder.ts';
import { proofServer, QUIET } from './proof-server.ts';
import { type Proven, readPictures, type Sample, writeConfirmed } from './prove-files.ts';
import { readCardText } from './records.ts';

/** What `image` says about reading pictures, for the summary. */
const READING: readonly string[] = ['resize', 'engine', 'fit', 'scale'];

/**
 * Replays the pictures in parity/ with each served version, and writes their tensors and scores as confirmed. Throws
 * ModelsError.
 */
export async function runProve(name: string, context: ModelsContext, config: Config): Promise<void> {
  const folder = modelPath(context.models, name);
  const text = await readCardText(folder, name);
  if (text === undefined) throw refused(`${path.join(folder, 'model.yaml')}: does not exist`);
  const card = parseCard(text, folder);
  if (!card.image) throw refused(`${name}: has no image in model.yaml, so there are no pictures to prove`);
  const pictures = await readPictures(card);
  const proven = await proveVersions(card, pictures, context, config);
  await writeConfirmed(card, proven).catch((error) => {
    throw writeFailure(error, 'parity/ may be incomplete; run the command again');
  });
  const versions = proven.map(({ version }) => version);
  const reading = Object.entries(card.image)
    .filter(([field]) => READING.includes(field))
    .sort(([one], [other]) => READING.indexOf(one) - READING.indexOf(other))
    .map(([field, value]) => `${field} ${JSON.stringify(value)}`);
  const how = reading.join(', ').replaceAll('"', '') || 'sent as they are';
  context.output.result(
    { model: name, versions, pictures, image: card.image },
    `${name}: version ${versions.join(', ')} with ${pictures.length} pictures: ${how}\n` +
      'confirmed: training read pictures like this. A running gateway says proven within seconds.',
  );
}

async function proveVersions(
  card: ModelCard,
  pictures: readonly string[],
  context: ModelsContext,
  config: Config,
): Promise<readonly Proven[]> {
  await using server = await proofServer(card, context);
  using opened = new DisposableStack();
  const parts = openProof({ config, servers: server.servers, tls: server.tls, log: QUIET, opened });
  const own = ownContext(AbortSignal.timeout(PROOF_TIMEOUT_MS), QUIET, PROOF_TIMEOUT_MS);
  try {
    const states = await parts.backend.status(card.name, own.signal);
    const available = states.filter(({ state }) => state === 'AVAILABLE').map(({ version }) => version);
    if (available.length === 0) throw refused(`${card.name}: the model server has no version that can be used`);
    const proven: Proven[] = [];
    for (const version of available.sort((a, b) => a - b)) {
      context.output.progress(`version ${version}: ${pictures.length} pictures`);
      proven.push(await proveVersion(card, version, pictures, parts, own));
    }
    return proven;
  } catch (thrown) {
    if (thrown instanceof SignatureMismatch) throw refused(thrown.message, { cause: thrown });
    throw thrown;
  }
}

async function proveVersion(
  card: ModelCard,
  version: number,
  pictures: readonly string[],
  parts: ReplayParts,
  context: RequestContext,
): Promise<Proven> {
  const binding = bind(card, await parts.backend.metadata({ model: card.name, version }, context.signal));
  const samples: Sample[] = [];
  const scores: Record<string, readonly number[]> = {};
  for (const file of pictures) {
    const replayed = await replay(path.join(card.folder, 'parity', file), binding, parts, context);
    if (!replayed.scores.every(Number.isFinite)) throw refused(`parity/${file}: version ${version} gives no numbers`);
    samples.push({ file, [hashField(binding)]: replayed.hash });
    scores[file] = replayed.scores.map((score) => Math.round(score * 1e6) / 1e6);
  }
  return { version, samples, scores };
}
