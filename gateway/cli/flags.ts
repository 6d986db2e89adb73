/** Settings as flags of a command. */
import type { Command } from 'commander';
import { SETTINGS, type Setting } from '../config.ts';

/** Adds settings to a command as flags. */
export function addSettings(command: Command, settings: readonly Setting[] = SETTINGS): Command {
  for (const { flag, help, env, fallback } of settings) {
    command.option(`--${flag} <value>`, `${help} (${env}${fallback && `, default ${fallback}`})`);
  }
  return command;
}

/** The settings that a command was given, by the names of their flags. */
export function givenSettings(command: Command): Record<string, string> {
  const given = command.options.map((option) => [
    option.long?.slice(2),
    command.getOptionValue(option.attributeName()),
  ]);
  return Object.fromEntries(given);
}
