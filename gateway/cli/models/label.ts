/** `tensorgate models label`: sets labels of versions in models.config, which TF-Serving reads. */

import { type LabelChanges, readLabels, withLabels } from '../../backend/tf-serving/models-config.ts';
import type { ModelsContext } from './context.ts';
import { replaceAtomically } from './disk.ts';
import { refused, writeFailure } from './failure.ts';
import { configPath, withConfigErrors } from './labels.ts';
import { type ModelFolder, readKnownModel } from './model-folder.ts';
import { readIfThere } from './records.ts';

/** LABEL=VERSION sets a label, LABEL= removes it. All change or, with a ModelsError, none. */
export async function runLabel(model: string, assignments: readonly string[], context: ModelsContext): Promise<void> {
  const { models, output } = context;
  const changes = readChanges(assignments, await readKnownModel(models, model));
  const file = configPath(models);
  const text = await readIfThere(file);
  if (text === undefined) throw refused(`${file}: is missing; TF-Serving reads labels from it`);
  const changed = withConfigErrors(models, () => withLabels(String(text), model, changes));
  await replaceAtomically(file, changed).catch((error: unknown) => {
    throw writeFailure(error, 'no label has changed');
  });
  const labels = Object.fromEntries(readLabels(changed, model));
  const all = Object.entries(labels).map(([label, version]) => `${label}=${version}`);
  output.result({ model, labels, file }, `${model}: ${all.join(' ') || 'no labels'} in ${file}`);
}

function readChanges(assignments: readonly string[], { name, versions }: ModelFolder): LabelChanges {
  const changes = new Map<string, number | undefined>();
  for (const assignment of assignments) {
    const [, label, digits] = /^([\w.-]+)=(\d*)$/.exec(assignment) ?? [];
    if (label === undefined) throw refused(`${assignment}: needs LABEL=VERSION, or LABEL= to remove the label`);
    const version = digits ? Number(digits) : undefined;
    if (version !== undefined && !versions.has(version)) {
      throw refused(
        `${assignment}: ${name} has no version ${version} in service; it has ${[...versions.keys()].join(', ')}`,
      );
    }
    changes.set(label, version);
  }
  return changes;
}
