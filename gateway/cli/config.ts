/** `tensorgate config`: the settings in force, by the names of their variables. */
import { readConfig, SETTINGS } from '../config.ts';

/** Prints every setting as JSON. Throws ConfigError when one is wrong. */
export function printConfig(flags: Record<string, string>): void {
  const config = readConfig(flags);
  const inForce = Object.fromEntries(SETTINGS.map(({ key, env }) => [env, config[key] ?? null]));
  process.stdout.write(`${JSON.stringify(inForce, null, 2)}\n`);
}
