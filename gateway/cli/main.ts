#!/usr/bin/env node
/** The command line: one file a command, every setting a flag. */
import { Command, CommanderError } from 'commander';
import { ConfigError, SETTINGS } from '../config.ts';
import { ModelCardError } from '../model/card.ts';
import { printConfig } from './config.ts';
import { runServe } from './serve.ts';

/** Adds every setting as a flag and hands the given ones over by the flags' names. */
function withSettings(command: Command, run: (flags: Record<string, string>) => void | Promise<void>): void {
  for (const { flag, help, env, fallback } of SETTINGS) {
    command.option(`--${flag} <value>`, `${help} (${env}${fallback && `, default ${fallback}`})`);
  }
  command.action((_values, { options }: Command) => {
    const given = options.map((option) => [option.long?.slice(2), command.getOptionValue(option.attributeName())]);
    return run(Object.fromEntries(given));
  });
}

const program = new Command('tensorgate').description('A model gateway in front of TF-Serving.').exitOverride();
withSettings(program.command('serve').description('run the gateway'), runServe);
withSettings(program.command('config').description('check the settings and print those in force'), printConfig);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof ConfigError || error instanceof ModelCardError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  } else throw error;
}
