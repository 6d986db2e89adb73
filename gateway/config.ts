/** Every setting, once: the parser, `tensorgate config --help` and the README's table all come from this schema. */
import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { rate } from './access/rate.ts';
import type { ImageFormat } from './domain/picture.ts';

const MODELS_IN_THE_REPOSITORY = fileURLToPath(new URL('../serving/models', import.meta.url));

/** A number with one of the given units, as text: `quantity({ ms: 1, s: 1000 }, …)` reads "20s" as 20000. */
function quantity(units: Record<string, number>, allowed: string) {
  return z.string().transform((text, context) => {
    const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim()) ?? [];
    const value = Number(digits) * (Object.hasOwn(units, unit) ? (units[unit] ?? Number.NaN) : Number.NaN);
    if (digits !== '' && Number.isSafeInteger(value) && value > 0) return value;
    context.addIssue({ code: 'custom', message: allowed });
    return z.NEVER;
  });
}

const duration = () => quantity({ ms: 1, s: 1000, m: 60_000 }, 'a duration above zero, such as 500ms, 20s or 2m');
const bytes = () =>
  quantity(
    { '': 1, B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 },
    'a size above zero, such as 500kB, 10MB or 16MiB',
  );
const pixels = () => quantity({ '': 1, MP: 1e6 }, 'a number of pixels above zero, such as 2000000 or 50MP');

function integer(min: number, max: number) {
  return z.string().transform((text, context) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    context.addIssue({ code: 'custom', message: `a whole number from ${min} to ${max}` });
    return z.NEVER;
  });
}

const port = () => integer(0, 65_535);
const list = () => z.string().transform((text) => text.split(',').flatMap((entry) => entry.trim() || []));

function oneOf<const Choice extends string>(...choices: readonly Choice[]) {
  return z.enum(choices, { error: `one of ${choices.join(', ')}` });
}

function several<Choice extends string>(allowed: string, isAllowed: (entry: string) => entry is Choice) {
  return list().transform((entries, context) => {
    if (entries.length > 0 && entries.every(isAllowed)) return entries as readonly Choice[];
    context.addIssue({ code: 'custom', message: allowed });
    return z.NEVER;
  });
}

const FORMATS: readonly ImageFormat[] = ['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff'];
const isFormat = (entry: string): entry is ImageFormat => (FORMATS as readonly string[]).includes(entry);
const isPort = (entry: string): entry is `${number}` =>
  /^\d+$/.test(entry) && Number(entry) >= 1 && Number(entry) <= 65_535;
const isOrigin = (entry: string): entry is string =>
  entry === '*' || (/^https?:/.test(entry) && URL.canParse(entry) && new URL(entry).origin === entry);

const schema = z.object({
  host: z.string().prefault('0.0.0.0').describe('address to listen on'),
  port: port().prefault('9696').describe('port of the service; 0 takes a free one'),
  adminPort: port().prefault('9697').describe('port of metrics, health and log level; keep it inside'),
  tfServingHost: z
    .string()
    .optional()
    .describe('TF-Serving: host:port, several by comma, or dns:///name:8500; unset starts the embedded server'),
  tfServingCaFile: z
    .string()
    .optional()
    .describe('PEM of the authorities that sign the certificates of TF-Serving; set, TLS is spoken to it'),
  tfServingCertFile: z
    .string()
    .optional()
    .describe('PEM of the certificate shown to TF-Serving (mTLS); all three are read again when they change'),
  tfServingKeyFile: z.string().optional().describe('PEM of its private key'),
  hedgeAfterMs: duration()
    .optional()
    .describe('ask a second TF-Serving too when the first has not answered after so long, such as 300ms; unset: never'),
  models: z.string().prefault(MODELS_IN_THE_REPOSITORY).describe('folder of NAME/model.yaml files'),
  requestTimeoutMs: duration().prefault('20s').describe('the one deadline of a request, from door to answer'),
  maxInFlight: integer(1, 100_000)
    .prefault('64')
    .describe('images held at once; how many of them are worked on is found by measuring'),
  maxQueue: integer(0, 1_000_000)
    .prefault('64')
    .describe('requests that may wait; more, and those that would wait in vain, are answered 429'),
  maxBodyBytes: bytes().prefault('32MB').describe('largest request body'),
  maxImageBytes: bytes().prefault('10MB').describe('largest encoded image, fetched or sent'),
  maxImagePixels: pixels()
    .prefault('50MP')
    .describe('largest image by its header, width times height; of AVIF half of it'),
  decoders: integer(1, 64)
    .optional()
    .describe('processes that decode images, each one at a time; unset: one for each core of the CPU limit, 4 at most'),
  decodeTimeoutMs: duration().prefault('5s').describe('longest decoding and resizing of one image'),
  maxInstances: integer(1, 4096).prefault('64').describe('images in one request'),
  // TIFF is left out by default: it has many variants, and hardly a photo comes as one.
  imageFormats: several(`a comma-separated choice of ${FORMATS.join(', ')}`, isFormat)
    .prefault('jpeg,png,webp,gif,avif')
    .describe(`image formats offered; all: ${FORMATS.join(', ')}`),
  fetchAllow: list()
    .prefault('')
    .describe('hosts (example.com, *.example.com), origins or CIDRs to fetch from; with a host listed, only those'),
  fetchDeny: list().prefault('').describe('hosts or CIDRs never fetched from'),
  fetchPorts: several('a comma-separated list of ports from 1 to 65535', isPort)
    .transform((ports) => ports.map(Number))
    .prefault('80,443')
    .describe('ports fetched from on public hosts'),
  fetchAllowPrivate: oneOf('true', 'false')
    .transform((word) => word === 'true')
    .prefault('false')
    .describe('fetch from private and loopback addresses too, on any port (development)'),
  fetchTimeoutMs: duration().prefault('5s').describe('longest download, all redirects included'),
  apiKeysFile: z.string().optional().describe('file of API keys (tensorgate keys new NAME); unset, anybody may ask'),
  rateLimit: rate().optional().describe('requests per key, or per client address without keys: 20/s, 600/m, 5000/h'),
  redisUrl: z
    .url({ protocol: /^rediss?$/, error: 'redis://HOST:PORT or rediss://…' })
    .optional()
    .describe('Redis that all replicas count limits in; unset, each counts for itself'),
  trustedProxies: list()
    .transform((entries) => (/^\d+$/.test(entries.join()) ? Number(entries[0]) : entries))
    .prefault('0')
    .describe('proxies whose X-Forwarded-For is believed: how many stand in front, or their addresses and CIDRs'),
  corsOrigins: several('a comma-separated list of origins such as https://example.com, or *', isOrigin)
    .optional()
    .describe('origins whose pages may call from a browser, or *'),
  maxConnections: integer(1, 1_000_000).prefault('10000').describe('connections open at once'),
  tlsCertFile: z.string().optional().describe('certificate chain (PEM) for HTTPS on PORT; read again when it changes'),
  tlsKeyFile: z.string().optional().describe('private key (PEM) of that certificate'),
  logLevel: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent').prefault('info').describe('log level'),
});

export type Config = Readonly<z.output<typeof schema>>;

/** One setting as people meet it: its variable, its flag, its default and what it is for. */
export type Setting = {
  readonly key: keyof Config;
  readonly env: string;
  readonly flag: string;
  readonly fallback: string;
  readonly help: string;
};

/** The settings in the order of the schema. The variable's name is the key's, without the unit that only code needs. */
export const SETTINGS: readonly Setting[] = Object.entries(schema.shape).map(([key, type]) => {
  const env = key
    .replace(/Ms$/, '')
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .toUpperCase();
  const { defaultValue = '' } = type.def as { defaultValue?: string };
  const fallback = defaultValue === MODELS_IN_THE_REPOSITORY ? 'serving/models' : defaultValue;
  return {
    key: key as keyof Config,
    env,
    flag: env.toLowerCase().replaceAll('_', '-'),
    fallback,
    help: type.description ?? '',
  };
});

/** All wrong settings of one start. `message` has a line for each: the setting, its value, what is allowed. */
export class ConfigError extends Error {}

/** A setting's value as it may be shown: without the password of a URL. */
export function hidePassword(text: string): string {
  return text.replace(/\/\/[^@/]*@/, '//***@');
}

/** Reads a duration as the settings have it ("500ms", "10m") as milliseconds. Throws a ConfigError that says what is allowed. */
export function readDuration(text: string): number {
  const parsed = duration().safeParse(text);
  if (parsed.success) return parsed.data;
  throw new ConfigError(`${text}: needs ${parsed.error.issues.map(({ message }) => message).join('; ')}`);
}

/** For a child process that runs our code too: this one's environment, and where code is kept compiled, if it is. */
export function childEnvironment(): NodeJS.ProcessEnv {
  const compiled = getCompileCacheDir();
  return compiled === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: compiled };
}

/**
 * Reads the settings: a flag (by its name without dashes in front) wins over the environment, an empty value counts as
 * unset. Throws one ConfigError that names every wrong value.
 */
export function readConfig(flags: Readonly<Record<string, string>> = {}, env = process.env): Config {
  const given = new Map(SETTINGS.map((setting) => [setting.key, flags[setting.flag] || env[setting.env] || undefined]));
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) return Object.freeze(parsed.data);
  const lines = parsed.error.issues.map((issue) => {
    const setting = SETTINGS.find(({ key }) => key === issue.path[0]);
    return `${setting?.env}=${hidePassword((setting && given.get(setting.key)) ?? '')}: needs ${issue.message}`;
  });
  throw new ConfigError(lines.join('\n'));
}
