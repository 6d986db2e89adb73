/** The labels in MODELS/models.config. */
import path from 'node:path';
import { refused } from './failure.ts';
import { readLabels } from './models-config.ts';
import { readIfThere } from './records.ts';

export function configPath(models: string): string {
  return path.join(models, 'models.config');
}

/** The labels of a model; none without a models.config. Throws `refused` for a file that cannot be read. */
export async function labelsOf(models: string, model: string): Promise<Map<string, number>> {
  const text = await readIfThere(configPath(models));
  return text === undefined ? new Map() : inConfig(models, () => readLabels(String(text), model));
}

/** Throws `refused` for a version that has a label: whoever asks by that label would get an error. */
export async function checkUnlabelled(models: string, model: string, version: number): Promise<void> {
  const [label] = [...(await labelsOf(models, model))].find(([, labelled]) => labelled === version) ?? [];
  if (label === undefined) return;
  const how = `tensorgate models label ${model} ${label}=VERSION`;
  throw refused(`${model} version ${version} has the label ${label}; move it first: ${how}`);
}

/** Runs what reads or edits the text of models.config; a mistake in there is a refusal that names the file. */
export function inConfig<T>(models: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw cause instanceof SyntaxError ? refused(`${configPath(models)}: ${cause.message}`, { cause }) : cause;
  }
}
