/** `tensorgate models delete`: deletes a version's folder. Its evaluation stays as a record. */
import type { ModelsContext } from './context.ts';
import { refused, writeFailure } from './failure.ts';
import { checkNotInTraffic } from './in-traffic.ts';
import { checkUnlabelled } from './labels.ts';
import { newestVersion, readKnownModel } from './model-folder.ts';
import { deleteAtomically } from './stage.ts';

/** Deletes a version that is withdrawn or older than the newest, and has no label. Throws ModelsError otherwise. */
export async function runDelete(model: string, version: number, { models, output }: ModelsContext): Promise<void> {
  const folder = await readKnownModel(models, model);
  const versionFolder = folder.versions.get(version) ?? folder.withdrawn.get(version);
  if (versionFolder === undefined) throw refused(`${folder.path}: has no version ${version}`);
  if (version === newestVersion(folder)) {
    const how = folder.versions.size > 1 ? `tensorgate models rollback ${model}` : 'push another version';
    throw refused(`${model} version ${version} is the newest in service; first ${how}`);
  }
  await checkUnlabelled(models, model, version);
  await checkNotInTraffic(models, model, version);
  await deleteAtomically(versionFolder).catch((error: unknown) => {
    throw writeFailure(error, 'the next push removes what is left');
  });
  output.result({ model, version, folder: versionFolder }, `${model} version ${version}: deleted ${versionFolder}`);
}
