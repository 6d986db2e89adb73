/** The program `tensorgate` with all commands: one file per command, every setting a flag. */
import { Argument, Command } from 'commander';
import { VERSION } from '../domain/version.ts';
import { addBaselineCommand } from './baseline-command.ts';
import { addBatchCommand } from './batch-command.ts';
import { completionScript, SHELL_NAMES } from './completion.ts';
import { printConfig } from './config.ts';
import { addDriftCommand } from './drift-command.ts';
import { addDrillCommand } from './drill-command.ts';
import { addExplainCommand } from './explain-command.ts';
import { addSettings, givenSettings } from './flags.ts';
import { addHelpCommand } from './help.ts';
import { printNewKey } from './keys.ts';
import { addKServeArguments, settingsOfKServe } from './kserve.ts';
import { addModelsCommands } from './models/commands.ts';
import { addPredictCommand } from './predict-command.ts';
import { addReplayCommand } from './replay-command.ts';
import { addRetrainHookCommand } from './retrain-hook-command.ts';

export const program = new Command('tensorgate')
  .description('A model gateway in front of TF-Serving.')
  .version(VERSION, '--version', 'print the version')
  .exitOverride()
  // Then an option of a command may be called --version.
  .enablePositionalOptions();

program.commandsGroup('Predict:');
addPredictCommand(program);
addExplainCommand(program);
addBatchCommand(program);
program
  .command('accuracy')
  .description('print how often predictions were right, by the labels in prediction logs')
  .argument('<log...>', 'files and folders of PREDICTION_LOG')
  .option('--json', 'print JSON')
  .action(async (paths, { json }) => {
    const { runAccuracy } = await import('./accuracy/run.ts');
    return runAccuracy(paths, json === true);
  });
addDriftCommand(program);
addBaselineCommand(program);
addReplayCommand(program);

program.commandsGroup('Run a gateway:');
const serve = addSettings(program.command('serve').description('run the gateway'));
addKServeArguments(serve).action(async (_values, command) => {
  // Only this command needs the whole gateway, which takes most of a second to load.
  const { runServe } = await import('./serve.ts');
  return runServe(settingsOfKServe(givenSettings(command)));
});
addSettings(program.command('config').description('check the settings, and print their values and where each is from'))
  .option('--json', 'print JSON on a terminal too')
  .action(({ json }, command) => printConfig(givenSettings(command), json === true || !process.stdout.isTTY));
program
  .command('keys')
  .description('make API keys')
  .command('new <name>')
  .description('print a new key, which is not stored, and its entry for API_KEYS_FILE')
  .action(printNewKey);
addSettings(program.command('openapi').description('print openapi.json of a gateway with these settings'))
  .option('--admin', 'print the document of ADMIN_PORT')
  .action(async ({ admin }, command) => {
    const { printDocument } = await import('./openapi.ts');
    printDocument(givenSettings(command), admin === true);
  });

program.commandsGroup('Manage models:');
addModelsCommands(program.command('models').description('publish and manage versions of models'));
addRetrainHookCommand(program);

program.commandsGroup('Find faults:');
addSettings(
  program
    .command('doctor')
    .description('check the model servers, or whether a prediction can use the picture at a URL'),
)
  .argument('[url]')
  .option('--json', 'print JSON')
  .action(async (url, { json }, command) => {
    const { runDoctor } = await import('./doctor/run.ts');
    return runDoctor(url, givenSettings(command), json === true);
  });
addDrillCommand(program);

program.commandsGroup('Help:');
program
  .command('completion')
  .description('print a completion script, for example: source <(tensorgate completion bash)')
  .addArgument(new Argument('<shell>').choices(SHELL_NAMES))
  .action((shell) => void process.stdout.write(completionScript(shell, program)));
addHelpCommand(program);
