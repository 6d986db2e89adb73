/** `tensorgate models list`: lists the versions of one model, or of all. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { columns, sizeText } from '../output.ts';
import type { ModelsContext } from './context.ts';
import { refused } from './failure.ts';
import { findServers } from './find-servers.ts';
import { type ModelFolder, readModelFolder, withoutVersions } from './model-folder.ts';
import { describeVersions, type VersionRow } from './versions.ts';

const HEADS = ['version', 'formats', 'size', 'pushed', 'accuracy', 'labels', 'state'];

/** Lists one model, or all; with the state of each version on each server, if there is one. Throws ModelsError. */
export async function runList(model: string | undefined, context: ModelsContext): Promise<void> {
  const { models, output } = context;
  using servers = await findServers(context);
  const folders = model === undefined ? await allModels(models) : [await readModelFolder(models, model)];
  const listed = [];
  for (const folder of folders) {
    const versions = await describeVersions(folder, models, await servers.ask(folder.name));
    if (versions.length > 0) listed.push({ model: folder.name, versions });
    else if (model !== undefined) throw withoutVersions(folder);
  }
  const texts = listed.map(({ model: name, versions }) => `${name}\n${columns(HEADS, versions.map(cells))}`);
  output.result(listed, texts.join('\n\n') || `${models}: no versions of any model`);
}

/** The folders in MODELS that contain versions, or a model.yaml for versions that servers have. */
async function allModels(models: string): Promise<ModelFolder[]> {
  const entries = await readdir(models).catch((cause: NodeJS.ErrnoException) => {
    throw refused(`MODELS: the folder ${models} cannot be read: ${cause.code}`, { cause });
  });
  const names = entries.filter((name) => /^\w[\w.-]*$/.test(name)).sort();
  const folders = await Promise.all(names.map((name) => readModelFolder(models, name)));
  return folders.filter(
    ({ path: folder, versions, withdrawn }) =>
      versions.size + withdrawn.size > 0 || existsSync(path.join(folder, 'model.yaml')),
  );
}

function cells(row: VersionRow): string[] {
  const states = Object.entries(row.states).map(([address, state]) => `${address} ${state}`);
  return [
    String(row.version),
    row.formats.join(' '),
    row.folder === null ? '' : sizeText(row.bytes),
    row.pushed.slice(0, 16).replace('T', ' '),
    row.accuracy?.toFixed(4) ?? '',
    row.labels.join(' '),
    [...(row.withdrawn ? ['withdrawn'] : []), ...states].join(', '),
  ];
}
