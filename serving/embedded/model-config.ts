/** The list of models, read from --model_config_file or a HandleReloadConfigRequest and validated. */

import { isAbsolute } from 'node:path';
import type { ModelConfigMessage, VersionPolicy } from './protocol.ts';
import { invalidArgument } from './status.ts';
import { readTextFile } from './text-file.ts';

/** Which of the versions on disk to serve. */
export type Policy =
  | { readonly kind: 'latest'; readonly count: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'specific'; readonly versions: ReadonlySet<number> };

export type ModelConfig = {
  readonly name: string;
  readonly basePath: string;
  readonly policy: Policy;
  readonly labels: ReadonlyMap<string, number>;
};

/** The fields of tensorflow.serving.ModelServerConfig that this server supports. */
const SCHEMA = {
  model_config_list: {
    config: [
      {
        name: 'string',
        base_path: 'string',
        model_platform: 'string',
        model_version_policy: {
          latest: { num_versions: 'int' },
          all: {},
          specific: { versions: ['int'] },
        },
        version_labels: [{ key: 'string', value: 'int' }],
      },
    ],
  },
} as const;

/** Reads --model_config_file. @throws StatusError if the file cannot be read or the list is invalid */
export async function readModelConfigFile(path: string): Promise<ModelConfig[]> {
  const { model_config_list: list } = await readTextFile(path, SCHEMA);
  return modelConfigs(
    (list?.config ?? []).map(({ version_labels, ...config }) => ({
      ...config,
      version_labels: Object.fromEntries(version_labels.map(({ key = '', value = 0 }) => [key, value])),
    })) as ModelConfigMessage[],
  );
}

/** Validates a list of models, in TF-Serving's order and with its texts. @throws StatusError INVALID_ARGUMENT */
export function modelConfigs(messages: readonly ModelConfigMessage[]): ModelConfig[] {
  const names = new Set<string>();
  for (const { name = '', base_path: basePath = '' } of messages) {
    if (names.has(name)) throw invalidArgument(`Illegal to list model ${name} multiple times in config list`);
    names.add(name);
    if (!isAbsolute(basePath)) {
      throw invalidArgument(`Expected model ${name} to have an absolute path or URI; got base_path()=${basePath}`);
    }
  }
  return messages.map(modelConfig);
}

function modelConfig(message: ModelConfigMessage): ModelConfig {
  const { name = '', base_path: basePath = '', model_platform: platform = '' } = message;
  if (platform === '') {
    throw invalidArgument(
      'Illegal setting neither ModelServerConfig::model_type (deprecated) nor ModelServerConfig::model_platform, ' +
        `model name is ${name}`,
    );
  }
  if (platform !== 'tensorflow') throw invalidArgument(`Model ${name} requests unsupported platform ${platform}`);
  const labels = Object.entries(message.version_labels ?? {}).map(
    ([label, version]) => [label, Number(version)] as const,
  );
  return { name, basePath, policy: policyOf(message.model_version_policy), labels: new Map(labels) };
}

function policyOf(policy: VersionPolicy | null | undefined): Policy {
  if (policy?.specific) return { kind: 'specific', versions: new Set(policy.specific.versions?.map(Number)) };
  if (policy?.all) return { kind: 'all' };
  return { kind: 'latest', count: Math.max(policy?.latest?.num_versions ?? 1, 1) };
}
