/** `tensorgate config`: prints the settings in use, by the names of their variables. */
import { hidePassword, withoutSecrets } from '../config/passwords.ts';
import { readConfig } from '../config/read.ts';
import { type Config, SECRETS, SETTINGS } from '../config/schema.ts';

/** Prints every setting as JSON, without passwords. Throws ConfigError if one is invalid. */
export function printConfig(flags: Record<string, string>): void {
  const config = readConfig(flags);
  const values = Object.fromEntries(SETTINGS.map(({ key, env }) => [env, shown(key, config[key]) ?? null]));
  process.stdout.write(`${JSON.stringify(values, null, 2)}\n`);
}

function shown(key: keyof Config, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return SECRETS.has(key) ? withoutSecrets(value) : hidePassword(value);
}
