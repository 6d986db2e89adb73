/** `tensorgate models label`: names for versions, in TF-Serving's list of models. */
import type { ModelsContext } from './context.ts';
import { replaceWhole } from './disk.ts';
import { refused, writeFailure } from './failure.ts';
import { configPath, inConfig } from './labels.ts';
import { type ModelFolder, readKnownModel } from './model-folder.ts';
import { type LabelChanges, readLabels, withLabels } from './models-config.ts';
import { readIfThere } from './records.ts';

/** Sets LABEL=VERSION and takes LABEL= away, all at once. Throws ModelsError; then no label has changed. */
export async function runLabel(model: string, assignments: readonly string[], context: ModelsContext): Promise<void> {
  const { models, output } = context;
  const changes = readChanges(assignments, await readKnownModel(models, model));
  const file = configPath(models);
  const text = await readIfThere(file);
  if (text === undefined) throw refused(`${file}: is missing; labels stand in there, where TF-Serving reads them`);
  const changed = inConfig(models, () => withLabels(String(text), model, changes));
  await replaceWhole(file, changed).catch((error: unknown) => {
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
    if (label === undefined) throw refused(`${assignment}: needs LABEL=VERSION, or LABEL= to take the label away`);
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
