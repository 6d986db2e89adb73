/** Changes the traffic in a model's model.yaml. Gateways read the file again within seconds. */
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import type { VersionName } from '../../domain/traffic.ts';
import { type ModelCard, ModelCardError, parseCard } from '../../model/card.ts';
import type { ModelsContext } from './context.ts';
import { replaceAtomically } from './disk.ts';
import { type CardChange, changedCard } from './edit-card.ts';
import { refused, writeFailure } from './failure.ts';
import { findServers } from './find-servers.ts';
import { labelsOf } from './labels.ts';
import { modelPath, readModelFolder } from './model-folder.ts';
import { readCardText } from './records.ts';

/** The model.yaml of a model. Throws `refused` without one, and ModelCardError for its mistakes. */
export async function readCard(
  models: string,
  model: string,
): Promise<{ readonly file: string; readonly text: string; readonly card: ModelCard }> {
  const folder = modelPath(models, model);
  const text = await readCardText(folder, model);
  const file = path.join(folder, 'model.yaml');
  if (text === undefined) throw refused(`${file}: does not exist; tensorgate models new ${model} writes one`);
  return { file, text, card: parseCard(text, folder) };
}

/** Writes the changes and prints what the file says now. Throws `refused` if it would not be valid: then nothing is written. */
export async function writeCard(
  model: string,
  changes: readonly CardChange[],
  { models, output }: ModelsContext,
  textOf: (card: ModelCard) => string,
): Promise<void> {
  const { file, text } = await readCard(models, model);
  const changed = changedCard(text, changes);
  const card = checked(changed, path.dirname(file));
  // A link stays one.
  const target = await realpath(file);
  await replaceAtomically(target, changed).catch((error: unknown) => {
    throw writeFailure(error, 'nothing has changed');
  });
  const { traffic, shadow } = card;
  output.result({ model, file, traffic: traffic ?? null, shadow: shadow ?? null }, `${model}: ${textOf(card)}`);
}

function checked(text: string, folder: string): ModelCard {
  try {
    return parseCard(text, folder);
  } catch (cause) {
    if (!(cause instanceof ModelCardError)) throw cause;
    throw refused(`${cause.message}; nothing has changed`, { cause });
  }
}

/** The versions in service, on the disk and on servers, lowest first. */
export async function versionsInService(model: string, context: ModelsContext): Promise<readonly number[]> {
  const { versions } = await readModelFolder(context.models, model);
  using servers = await findServers(context);
  const reports = await servers.ask(model);
  const loaded = reports.flatMap((report) =>
    report.versions.flatMap(({ version, state }) => (state === 'AVAILABLE' ? version : [])),
  );
  return [...new Set([...versions.keys(), ...loaded])].sort((one, other) => one - other);
}

/** The number of a version or a label. Throws `refused` for one that is not in service. */
export async function numberOf(model: string, name: VersionName, context: ModelsContext): Promise<number> {
  if (typeof name === 'string') {
    const labels = await labelsOf(context.models, model);
    const labelled = labels.get(name);
    if (labelled !== undefined) return labelled;
    throw refused(`${model}: no version has the label ${name}; there are ${[...labels.keys()].join(', ') || 'none'}`);
  }
  const known = await versionsInService(model, context);
  if (known.includes(name)) return name;
  throw refused(`${model}: version ${name} is not in service; there are ${known.join(', ') || 'none'}`);
}
