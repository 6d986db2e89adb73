/**
 * Declares the commands under `models`: each maps its arguments and flags to one function. Its file is loaded when it runs: some load
 * what reaches model servers, which other commands do not need.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { readConfig, readDuration } from '../../config/read.ts';
import { SETTINGS } from '../../config/schema.ts';
import { addSettings, givenSettings } from '../flags.ts';
import { createOutput } from '../output.ts';
import type { ModelsContext } from './context.ts';

const WAIT = ['--wait <duration>', 'wait until every server has loaded it, such as 10m'] as const;

/** Adds new, check, prove, push, list, show, rollback, label and delete. They throw ModelsError, ModelCardError and ConfigError. */
export function addModelsCommands(models: Command): void {
  add(models, 'new', 'write a model.yaml that explains its fields')
    .argument('<name>', 'the name of the model and of its folder in MODELS')
    .option('--table', 'for a model that takes records, not images')
    .action(async (name, { table }, command) =>
      (await import('./new.ts')).runNew(name, table ? 'tables' : 'images', await contextOf(command)),
    );
  add(models, 'check', 'name every mistake in model.yaml files, without a server')
    .argument('[folder]', "a model's folder or a folder of models; default: MODELS")
    .action(async (folder, _options, command) =>
      (await import('./check.ts')).runCheck(folder, await contextOf(command)),
    );
  add(models, 'prove', 'confirm that training read pictures as model.yaml says')
    .argument('<name>')
    .action(async (name, _options, command) =>
      (await import('./prove.ts')).runProve(name, await contextOf(command), readConfig(givenSettings(command))),
    );
  add(models, 'push', "publish a version's folder under the next free number")
    .argument('<path>', 'folder with saved_model.pb, model.onnx or both')
    .requiredOption('--model <name>', 'the model that it is a version of')
    .option(...WAIT, readDuration)
    .action(async (from, { model, wait }, command) =>
      (await import('./push.ts')).runPush({ path: from, model, waitMs: wait }, await contextOf(command)),
    );
  add(models, 'list', 'list the versions of one model, or of all')
    .argument('[name]')
    .action(async (name, _options, command) => (await import('./list.ts')).runList(name, await contextOf(command)));
  add(models, 'show', 'show a version and where it comes from')
    .argument('<name>')
    .argument('<version>', 'its number', readVersion)
    .action(async (name, version, _options, command) =>
      (await import('./show.ts')).runShow(name, version, await contextOf(command)),
    );
  add(models, 'rollback', 'withdraw the newest version: servers load the one before')
    .argument('<name>')
    .option('--to <version>', 'the version to go back to, or to restore', readVersion)
    .option(...WAIT, readDuration)
    .action(async (model, { to, wait }, command) =>
      (await import('./rollback.ts')).runRollback({ model, to, waitMs: wait }, await contextOf(command)),
    );
  add(models, 'label', 'set labels of versions in models.config')
    .argument('<name>')
    .argument('<label=version...>', 'LABEL= removes a label')
    .action(async (name, assignments, _options, command) =>
      (await import('./label.ts')).runLabel(name, assignments, await contextOf(command)),
    );
  add(models, 'delete', 'delete the files of an old or withdrawn version; its evaluation stays')
    .argument('<name>')
    .argument('<version>', 'its number', readVersion)
    .action(async (name, version, _options, command) =>
      (await import('./delete.ts')).runDelete(name, version, await contextOf(command)),
    );
}

function add(models: Command, name: string, description: string): Command {
  const settings = SETTINGS.filter(({ key }) => /^(models|backendProtocol|tfServing.*)$/.test(key));
  return addSettings(models.command(name).description(description), settings).option('--json', 'print JSON');
}

async function contextOf(command: Command): Promise<ModelsContext> {
  const { modelsContext } = await import('./context.ts');
  return modelsContext(readConfig(givenSettings(command)), createOutput(command.opts().json === true));
}

function readVersion(text: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new InvalidArgumentError('A version is a whole number from 0 to 2^53 - 1.');
}
