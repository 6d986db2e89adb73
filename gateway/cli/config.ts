/** `tensorgate config`: the settings in force, by the names of their variables. */
import { hidePassword, readConfig, SETTINGS } from '../config.ts';

/** Prints every setting as JSON, without passwords. Throws ConfigError when one is wrong. */
export function printConfig(flags: Record<string, string>): void {
  const config = readConfig(flags);
  const inForce = Object.fromEntries(SETTINGS.map(({ key, env }) => [env, config[key] ?? null]));
  const shown = (_key: string, value: unknown) => (typeof value === 'string' ? hidePassword(value) : value);
  process.stdout.write(`${JSON.stringify(inForce, shown, 2)}\n`);
}
