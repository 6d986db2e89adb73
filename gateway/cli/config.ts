/** `tensorgate config`: prints the settings in use, by the names of their variables. */
import { hidePassword, readConfig } from '../config/read.ts';
import { SETTINGS } from '../config/schema.ts';

/** Prints every setting as JSON, without passwords. Throws ConfigError if one is invalid. */
export function printConfig(flags: Record<string, string>): void {
  const config = readConfig(flags);
  const values = Object.fromEntries(SETTINGS.map(({ key, env }) => [env, config[key] ?? null]));
  const shown = (_key: string, value: unknown) => (typeof value === 'string' ? hidePassword(value) : value);
  process.stdout.write(`${JSON.stringify(values, shown, 2)}\n`);
}
