/** The command `help`. */
import type { Command } from 'commander';
import { closestMatch } from 'leven';
import { ConfigError } from '../config/read.ts';

/** Adds `help [command…]`, which says the nearest command for a wrong one. */
export function addHelpCommand(program: Command): void {
  program
    .helpCommand(false)
    .command('help')
    .description('display help for a command')
    .argument('[command...]')
    .action((names: readonly string[]) => names.reduce(below, program).outputHelp());
}

function below(command: Command, name: string): Command {
  const found = command.commands.find((one) => one.name() === name);
  if (found !== undefined) return found;
  const names = command
    .createHelp()
    .visibleCommands(command)
    .map((one) => one.name());
  const nearest = closestMatch(name, names);
  throw new ConfigError(
    `error: unknown command '${name}'${nearest === undefined ? '' : `\n(Did you mean ${nearest}?)`}`,
  );
}
