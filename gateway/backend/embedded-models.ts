/** What the embedded server is told to serve: the models of MODELS, with the policies and labels of models.config. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Log } from '../domain/request.ts';
import { readSmallFile } from '../domain/small-file.ts';
import { readLabels, readPolicy } from './tf-serving/models-config.ts';

export type EmbeddedModel = {
  readonly name: string;
  /** The folder that has the versions in VERSION/model.onnx. */
  readonly basePath: string;
  /** The field `model_version_policy` in protobuf's text format. By default every version is served. */
  readonly policy?: string;
  readonly labels?: ReadonlyMap<string, number>;
};

const SERVE_ALL = 'model_version_policy { all {} }';

type NameAndFolder = { readonly name: string; readonly folder: string };

/**
 * Makes the function that lists the models with the policies and labels of MODELS/models.config, if there is one. A label
 * is left out while its version has no folder. A file that cannot be read is not used, and is logged once.
 */
export function modelsConfigOf(
  models: string,
  log: Log,
): (served: readonly NameAndFolder[]) => Promise<EmbeddedModel[]> {
  const file = path.join(models, 'models.config');
  let lastProblem: string | undefined;
  return async (served) => {
    const plain = served.map(({ name, folder }) => ({ name, basePath: folder }));
    try {
      const text = existsSync(file) ? (await readSmallFile(file)).toString() : '';
      const listed = withConfig(plain, text);
      lastProblem = undefined;
      return listed;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== lastProblem)
        log.warn({ problem }, 'models.config cannot be read: no labels and policies are used');
      lastProblem = problem;
      return plain;
    }
  };
}

function withConfig(models: readonly EmbeddedModel[], text: string): EmbeddedModel[] {
  return models.map((model) => {
    const policy = readPolicy(text, model.name);
    const labels = [...readLabels(text, model.name)].filter(([, version]) =>
      existsSync(path.join(model.basePath, String(version))),
    );
    return { ...model, ...(policy && { policy }), labels: new Map(labels) };
  });
}

/** TF-Serving's ModelServerConfig in protobuf's text format, which takes JSON's string literals. */
export function embeddedConfig(models: readonly EmbeddedModel[]): string {
  const configs = models.map(({ name, basePath, policy = SERVE_ALL, labels = new Map<string, number>() }) => {
    const fields = [
      `name: ${JSON.stringify(name)}`,
      `base_path: ${JSON.stringify(path.resolve(basePath))}`,
      'model_platform: "tensorflow"',
      policy,
      ...[...labels].map(([key, value]) => `version_labels { key: ${JSON.stringify(key)} value: ${value} }`),
    ];
    return `  config { ${fields.join(' ')} }\n`;
  });
  return `model_config_list {\n${configs.join('')}}\n`;
}

/** Why the embedded server has no version of a model: its newest version has no file for it. Undefined if it has. */
export async function missingOnnx(basePath: string): Promise<string | undefined> {
  const name = path.basename(basePath);
  const children = await readdir(basePath).catch((): string[] => []);
  const versions = children.filter((child) => /^\d+$/.test(child));
  if (versions.length === 0) return `no version in ${name}: add one with tensorgate models push`;
  const newest = versions.reduce((one, other) => (Number(other) > Number(one) ? other : one));
  if (existsSync(path.join(basePath, newest, 'model.onnx'))) return undefined;
  return `no model.onnx in ${name}/${newest}: run make convert`;
}
