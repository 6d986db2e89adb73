/** Settings as flags of a command. */
import { type Command, InvalidArgumentError } from 'commander';
import { SETTINGS, type Setting } from '../config/schema.ts';

/** Adds settings to a command as flags. */
export function addSettings(command: Command, settings: readonly Setting[] = SETTINGS): Command {
  for (const { flag, help, env, fallback } of settings) {
    const description = `${help} (${env}${fallback && `, default ${fallback}`})`;
    command.addOption(command.createOption(`--${flag} <value>`, description).helpGroup('Settings:'));
  }
  return command;
}

/** The values of a command's flags, by flag name; undefined for a flag that was not given. */
export function givenSettings(command: Command): Record<string, string> {
  const given = command.options.map((option) => [
    option.long?.slice(2),
    command.getOptionValue(option.attributeName()),
  ]);
  return Object.fromEntries(given);
}

/** Parses the number of an option. Throws InvalidArgumentError, which commander prints with the option. */
export function atLeastOne(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('needs a whole number above 0.');
}

/** Parses a port; 0 is any free one. Throws InvalidArgumentError, which commander prints with the option. */
export function portNumber(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 65_535) return value;
  throw new InvalidArgumentError('needs a port from 0 to 65535.');
}

/** Parses the number of a version. Throws InvalidArgumentError, which commander prints with the option. */
export function versionNumber(text: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new InvalidArgumentError('A version is a whole number from 0 to 2^53 - 1.');
}

/** Collects the values of an option that may be repeated. */
export const collected = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
