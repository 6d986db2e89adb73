/** The command line: one file a command, every setting a flag. */
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config.ts';
import { ModelCardError } from '../model/card.ts';
import { printConfig } from './config.ts';
import { addSettings, givenSettings } from './flags.ts';
import { printNewKey } from './keys.ts';
import { addModelsCommands } from './models/commands.ts';
import { ModelsError } from './models/failure.ts';

const program = new Command('tensorgate').description('A model gateway in front of TF-Serving.').exitOverride();
addSettings(program.command('serve').description('run the gateway')).action(async (_values, command) => {
  // Only this command needs the whole gateway, which takes most of a second to load.
  const { runServe } = await import('./serve.ts');
  return runServe(givenSettings(command));
});
addSettings(program.command('config').description('check the settings and print those in force')).action(
  (_values, command) => printConfig(givenSettings(command)),
);
addSettings(
  program.command('doctor').description('say whether a prediction gets the picture at a URL, and if not, why'),
)
  .argument('<url>')
  .option('--json', 'print JSON')
  .action(async (url, { json }, command) => {
    const { runDoctor } = await import('./doctor/run.ts');
    return runDoctor(url, givenSettings(command), json === true);
  });
program
  .command('drill')
  .description('send what a hostile world would send to a deployed endpoint, and say what it withstood')
  .argument('<url>', 'its address; a query goes to /predict: https://predict.example.com?model=NAME')
  .option('--key <key>', 'API key, sent as Authorization: Bearer')
  .option(
    '--origin-host <name:port>',
    'the address under which the endpoint reaches this machine, for pictures to fetch',
  )
  .option('--only <ids>', 'letters and ids by comma, such as A,B5')
  .option('--json', 'print JSON')
  .action(async (url, options) => {
    const { runDrill } = await import('./drill/run.ts');
    return runDrill(url, options);
  });
program
  .command('keys')
  .description('make API keys')
  .command('new <name>')
  .description('print a new key, this once, and its entry for API_KEYS_FILE')
  .action(printNewKey);
addModelsCommands(program.command('models').description('put versions of models where the servers find them'));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof ConfigError || error instanceof ModelCardError || error instanceof ModelsError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error instanceof ModelsError ? error.exitCode : 2;
  } else throw error;
}
