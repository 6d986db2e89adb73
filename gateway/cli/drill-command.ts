/** The command `drill`. Its folder is not in the production image (.dockerignore): it runs from a checkout. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { ConfigError } from '../config/read.ts';

const PROGRAM = new URL('./drill/run.ts', import.meta.url);

/** Adds `drill`. Without its folder the command only throws ConfigError and is not in --help. */
export function addDrillCommand(program: Command): void {
  if (!existsSync(PROGRAM)) {
    addMissingDrill(program);
    return;
  }
  program
    .command('drill')
    .description('send attacks to a deployed endpoint and print which it withstood')
    .argument('<url>', 'its address; a query is sent to /predict: https://predict.example.com?model=NAME')
    .option('--key <key>', 'API key, sent as Authorization: Bearer')
    .option('--origin-host <name:port>', 'address at which the endpoint reaches this machine, for pictures to fetch')
    .option('--only <ids>', 'letters and ids, separated by commas, such as A,B5')
    .option('--json', 'print JSON')
    .action(async (url, options) => {
      const { runDrill } = await import('./drill/run.ts');
      return runDrill(url, options);
    });
}

function addMissingDrill(program: Command): void {
  program
    .command('drill', { hidden: true })
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => {
      throw new ConfigError('drill is not part of this image; run it from a checkout: ./tensorgate drill URL');
    });
}
