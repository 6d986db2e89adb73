/** `tensorgate config`: prints the settings in use, by the names of their variables, and where each is from. */
import { hidePassword, withoutSecrets } from '../config/passwords.ts';
import { misspeltSettings, readConfig, sourceOf } from '../config/read.ts';
import { type Config, SECRETS, SETTINGS } from '../config/schema.ts';
import { columns } from './output.ts';

/**
 * Prints every setting without passwords: as JSON `{"PORT": 9696, …}`, or as a table that also has the source of each, a flag, the
 * environment or the default. Variables that are nearly settings are told on stderr. Throws ConfigError if one is invalid.
 */
export function printConfig(flags: Record<string, string>, json: boolean): void {
  const config = readConfig(flags);
  for (const line of misspeltSettings()) process.stderr.write(`${line}\n`);
  const values = SETTINGS.map((setting) => ({ setting, value: shown(setting.key, config[setting.key]) ?? null }));
  if (json) {
    const object = Object.fromEntries(values.map(({ setting, value }) => [setting.env, value]));
    process.stdout.write(`${JSON.stringify(object, null, 2)}\n`);
    return;
  }
  const rows = values.map(({ setting, value }) => [setting.env, cellOf(value), sourceOf(setting, flags)]);
  process.stdout.write(`${columns(['SETTING', 'VALUE', 'FROM'], rows)}\n`);
}

const cellOf = (value: unknown) => (value === null ? '-' : typeof value === 'string' ? value : JSON.stringify(value));

function shown(key: keyof Config, value: unknown): unknown {
  if (key === 'predictionLog' && typeof value === 'object' && value !== null)
    return shown(key, Object.values(value)[0]);
  if (typeof value !== 'string') return value;
  return SECRETS.has(key) ? withoutSecrets(value) : hidePassword(value);
}
