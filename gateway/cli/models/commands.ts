/**
 * Declares the commands under `models`: each maps its arguments and flags to one function. Its file is loaded when it runs: some load
 * what reaches model servers, which other commands do not need.
 */
import type { Command } from 'commander';
import { readConfig, readDuration } from '../../config/read.ts';
import { collected, givenSettings, versionNumber } from '../flags.ts';
import { add, contextOf } from './declare.ts';
import { addTrafficCommands } from './traffic-commands.ts';

const WAIT = ['--wait <duration>', 'wait until every server has loaded it, such as 10m'] as const;

/** Adds all of them. They throw ModelsError, ModelCardError and ConfigError. */
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
    .option(
      '--replay <log>',
      'publish it only if it answers the predictions of this log as well as the newest',
      collected,
    )
    .option('--pictures <folder>', 'pictures that the log has no URL of', collected)
    .action(async (from, { model, wait, replay: log, pictures = [] }, command) => {
      const replay = log && { log, pictures };
      const options = { path: from, model, waitMs: wait, replay };
      return (await import('./push.ts')).runPush(options, await contextOf(command));
    });
  add(models, 'list', 'list the versions of one model, or of all')
    .argument('[name]')
    .action(async (name, _options, command) => (await import('./list.ts')).runList(name, await contextOf(command)));
  add(models, 'show', 'show a version and where it comes from')
    .argument('<name>')
    .argument('<version>', 'its number', versionNumber)
    .action(async (name, version, _options, command) =>
      (await import('./show.ts')).runShow(name, version, await contextOf(command)),
    );
  add(models, 'rollback', 'withdraw the newest version: servers load the one before')
    .argument('<name>')
    .option('--to <version>', 'the version to go back to, or to restore', versionNumber)
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
    .argument('<version>', 'its number', versionNumber)
    .action(async (name, version, _options, command) =>
      (await import('./delete.ts')).runDelete(name, version, await contextOf(command)),
    );
  addTrafficCommands(models);
}
