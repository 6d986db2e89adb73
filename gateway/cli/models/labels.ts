/** Reads labels from MODELS/models.config. */
import path from 'node:path';
import { readLabels } from '../../backend/tf-serving/models-config.ts';
import { refused } from './failure.ts';
import { readIfThere } from './records.ts';

export function configPath(models: string): string {
  return path.join(models, 'models.config');
}

/** The labels of a model and their versions. Empty without a models.config. Throws `refused` for an invalid file. */
export async function labelsOf(models: string, model: string): Promise<Map<string, number>> {
  const text = await readIfThere(configPath(models));
  return text === undefined ? new Map() : withConfigErrors(models, () => readLabels(String(text), model));
}

/** Throws `refused` for a version that has a label: requests for that label would fail. */
export async function checkUnlabelled(models: string, model: string, version: number): Promise<void> {
  const [label] = [...(await labelsOf(models, model))].find(([, labelled]) => labelled === version) ?? [];
  if (label === undefined) return;
  const how = `tensorgate models label ${model} ${label}=VERSION`;
  throw refused(`${model} version ${version} has the label ${label}; move it first: ${how}`);
}

/** Runs `work`, which parses or edits models.config. Converts its SyntaxError to `refused` with the file's path. */
export function withConfigErrors<T>(models: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw cause instanceof SyntaxError ? refused(`${configPath(models)}: ${cause.message}`, { cause }) : cause;
  }
}
