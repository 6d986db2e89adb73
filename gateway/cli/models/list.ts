/** `tensorgate models list`: lists the versions of one model, or of all. */
import { readdir } from 'node:fs/promises';
import { columns, sizeText } from '../output.ts';
import type { ModelsContext } from './context.ts';
import { refused } from './failure.ts';
import { type ModelFolder, readKnownModel, readModelFolder } from './model-folder.ts';
import { findServers } from './servers.ts';
import { describeVersions, type VersionRow } from './versions.ts';

const HEADS = ['version', 'formats', 'size', 'pushed', 'accuracy', 'labels', 'state'];

/** Lists one model, or all; with the state of each version on each server, if there is one. Throws ModelsError. */
export async function runList(model: string | undefined, context: ModelsContext): Promise<void> {
  const { models, output } = context;
  using servers = await findServers(context);
  const folders = model === undefined ? await allModels(models) : [await readKnownModel(models, model)];
  const listed = [];
  for (const folder of folders) {
    const reports = (await servers?.ask(folder.name)) ?? [];
    listed.push({ model: folder.name, versions: await describeVersions(folder, models, reports) });
  }
  const texts = listed.map(({ model: name, versions }) => `${name}\n${columns(HEADS, versions.map(cells))}`);
  output.result(listed, texts.join('\n\n') || `${models}: no versions of any model`);
}

/** The folders in MODELS that contain versions. */
async function allModels(models: string): Promise<ModelFolder[]> {
  const entries = await readdir(models).catch((cause: NodeJS.ErrnoException) => {
    throw refused(`MODELS: the folder ${models} cannot be read: ${cause.code}`, { cause });
  });
  const names = entries.filter((name) => /^\w[\w.-]*$/.test(name)).sort();
  const folders = await Promise.all(names.map((name) => readModelFolder(models, name)));
  return folders.filter(({ versions, withdrawn }) => versions.size + withdrawn.size > 0);
}

function cells(row: VersionRow): string[] {
  const states = Object.entries(row.states).map(([address, state]) => `${address} ${state}`);
  return [
    String(row.version),
    row.formats.join(' '),
    sizeText(row.bytes),
    row.pushed.slice(0, 16).replace('T', ' '),
    row.accuracy?.toFixed(4) ?? '',
    row.labels.join(' '),
    [...(row.withdrawn ? ['withdrawn'] : []), ...states].join(', '),
  ];
}
