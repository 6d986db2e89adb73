/** Reads the settings from flags and the environment. No other file reads the environment. */
import { getCompileCacheDir } from 'node:module';
import { closestMatch } from 'leven';
import { hidePassword } from './passwords.ts';
import { type Config, SECRETS, SETTINGS, type Setting, schema } from './schema.ts';
import { type ReadTraces, traceVariables } from './traces.ts';
import { duration } from './values.ts';

/** Invalid settings. `message` has a line for each: the setting, its value unless it may have a password, and what is allowed. */
export class ConfigError extends Error {}

/**
 * Reads the settings. `flags`: values by flag name, without leading dashes. A flag overrides the environment; an empty
 * value counts as unset. Throws one ConfigError that names every invalid value.
 */
export function readConfig(flags: Readonly<Record<string, string>> = {}, env = process.env): Config {
  const given = new Map(SETTINGS.map((setting) => [setting.key, flags[setting.flag] || env[setting.env] || undefined]));
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) return Object.freeze(parsed.data);
  const lines = parsed.error.issues.map((issue) => {
    const setting = SETTINGS.find(({ key }) => key === issue.path[0]);
    const value = setting && !SECRETS.has(setting.key) ? `=${hidePassword(given.get(setting.key) ?? '')}` : '';
    return `${setting?.env}${value}: needs ${issue.message}`;
  });
  throw new ConfigError(lines.join('\n'));
}

/** Where the value of a setting is from: its flag, its variable, or the default. */
export function sourceOf(
  { flag, env: name }: Setting,
  flags: Readonly<Record<string, string>>,
  env = process.env,
): string {
  if (flags[flag]) return `--${flag}`;
  return env[name] ? 'environment' : 'default';
}

/** More wrong letters are no slip of the pen; and short names are near the variables of others. */
const MAX_SLIPS = 2;
const MIN_LENGTH = 7;

/** A line for each variable that is nearly the name of a setting, and so has no effect. */
export function misspeltSettings(env = process.env): string[] {
  const names = SETTINGS.map(({ env: name }) => name);
  return Object.keys(env).flatMap((name) => {
    if (name.length < MIN_LENGTH || names.includes(name)) return [];
    const nearest = closestMatch(name, names, { maxDistance: MAX_SLIPS });
    return nearest === undefined ? [] : [`${name} in the environment is no setting. Did you mean ${nearest}?`];
  });
}

/** Parses a duration such as "500ms" or "10m" to milliseconds. Throws a ConfigError that says what is allowed. */
export function readDuration(text: string): number {
  const parsed = duration().safeParse(text);
  if (parsed.success) return parsed.data;
  throw new ConfigError(`${text}: needs ${parsed.error.issues.map(({ message }) => message).join('; ')}`);
}

/** The environment for a child process that runs Node: this process's own, with its compile cache if it has one. */
export function childEnvironment(): NodeJS.ProcessEnv {
  const compiled = getCompileCacheDir();
  return compiled === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: compiled };
}

/** Reads OpenTelemetry's variables for traces. */
export function readTraces(env = process.env): ReadTraces {
  return traceVariables(env);
}

/** Where the stores of buckets are, by the variables that the clouds' own tools read. */
export type StoreVariables = {
  readonly gcsEmulator: URL | undefined;
  readonly s3Endpoint: URL | undefined;
  readonly s3Region: string | undefined;
};

/** Reads the variables of Google's and AWS' tools. An empty value counts as unset. Throws ConfigError. */
export function readStoreVariables(env = process.env): StoreVariables {
  const emulator = env.STORAGE_EMULATOR_HOST;
  const s3Endpoint = env.AWS_ENDPOINT_URL_S3 ? 'AWS_ENDPOINT_URL_S3' : 'AWS_ENDPOINT_URL';
  return {
    // Google's tools take it with a scheme and without.
    gcsEmulator: httpUrl(
      'STORAGE_EMULATOR_HOST',
      emulator && !emulator.includes('://') ? `http://${emulator}` : emulator,
    ),
    s3Endpoint: httpUrl(s3Endpoint, env[s3Endpoint]),
    s3Region: regionName(env.AWS_REGION ? 'AWS_REGION' : 'AWS_DEFAULT_REGION', env),
  };
}

/** A region's name, which becomes part of a host name. Servers other than AWS have names of their own. */
function regionName(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const region = env[name] || undefined;
  if (region === undefined || /^[a-z\d]([a-z\d-]*[a-z\d])?$/.test(region)) return region;
  throw new ConfigError(`${name}=${region}: needs the name of a region, such as eu-central-1`);
}

function httpUrl(name: string, text: string | undefined): URL | undefined {
  if (!text) return undefined;
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url;
  throw new ConfigError(`${name}=${hidePassword(text)}: needs http://HOST:PORT or https://HOST:PORT, without a path`);
}
