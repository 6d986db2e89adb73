/** The text of docs/log.md: the fields of a request's line, and the other lines that the gateway writes. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Notes, Stage } from '../gateway/domain/request.ts';
import { KINDS } from '../gateway/errors.ts';
import { table } from './table.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** What the stages note of a request. The compiler finds a note that is missing here. */
const NOTES: Readonly<Record<keyof Notes, string>> = {
  model: 'the model that answered',
  version: 'its version',
  label: 'the label that the request named',
  traffic:
    'why the version answered: `stable`, `canary`, or `named` by the client; absent without [traffic](canary.md) in model.yaml',
  decoder: 'what decoded the pictures: `jpeg`, `sharp`, or `jpeg+sharp` for several',
};

const STAGES: Readonly<Record<Stage, string>> = {
  fetch: 'downloading the pictures',
  queue: 'waiting for room; only requests that waited have it',
  decode: 'decoding, resizing and scaling',
  predict: 'the call to the model server',
};

const FIELDS: readonly (readonly [name: string, meaning: string])[] = [
  ['level', '`info`; of an error that of its kind: see below'],
  ['time', 'the end of the request, UTC with milliseconds'],
  ['requestId', 'the id in `X-Request-Id` of the answer'],
  ['traceId', 'the [trace](traces.md)'],
  ['key', 'the name of the API key; absent without keys'],
  ['client', "the client's address, as `TRUSTED_PROXIES` allows ([access.md](access.md))"],
  ['method', '`GET`, `POST` …; `gRPC` for calls on `GRPC_PORT`'],
  ['route', 'the pattern of the path; `none` for unknown paths'],
  ['status', 'the HTTP status; of gRPC that of the same outcome'],
  ...Object.entries(NOTES),
  ['durationMs', 'from the arrival of the headers to the answer'],
  ...Object.entries(STAGES).map(([stage, what]) => [`${stage}Ms`, `time of ${what}`] as const),
  ['kind', 'of an error: its [kind](errors.md)'],
  ['detail', 'of an error: the text that the client got'],
  ['cause', 'of an error: the reason, with addresses and texts of libraries. Only the log has it'],
  ['msg', '`answered` or `refused`'],
];

/** A call with a literal text. */
const CALL = /\blog\.(info|warn|error|fatal)\(\s*\{([^{}]*)\},\s*'([^']+)',?\s*\)/g;

export function logPage(): string {
  const levels = Object.entries(Object.groupBy(Object.entries(KINDS), ([, { level }]) => level));
  return `# Log

The gateway writes one JSON object a line to stdout. On a terminal the lines are formatted for people if pino-pretty is installed, as in a
checkout. \`LOG_LEVEL\` sets the lowest level that is written. \`ADMIN_PORT\` changes it without a restart.

## The line of a request

Each request has one line. Fields without a value are absent.

${table(
  ['field', 'what it is'],
  FIELDS.map(([name, meaning]) => [`\`${name}\``, meaning]),
)}

${table(
  ['level', 'kinds of errors'],
  levels.map(([level, kinds = []]) => [`\`${level}\``, kinds.map(([kind]) => `\`${kind}\``).join(', ')]),
)}

## Other lines

What the gateway says of itself. The text is \`msg\`, and the fields say more.

${table(['level', 'msg', 'fields'], messages())}

The [prediction log](prediction-log.md) is another one, with a line for each prediction.
`;
}

/** The lines with a fixed text, as the sources have them. */
function messages(): string[][] {
  const files = globSync('gateway/**/*.ts', { cwd: ROOT, exclude: (name) => name.endsWith('.test.ts') }).sort();
  const rows = files
    .filter((file) => !file.startsWith('gateway/cli/'))
    .flatMap((file) => [...readFileSync(`${ROOT}${file}`, 'utf8').matchAll(CALL)])
    .map(([, level = '', fields = '', text = '']) => [`\`${level}\``, text, fieldNames(fields)])
    .filter(([, text]) => text !== 'answered' && text !== 'refused');
  return rows.sort(([, a = ''], [, b = '']) => (a < b ? -1 : 1));
}

/** `model: card.name, ...exit` → `model`. */
function fieldNames(fields: string): string {
  const names = fields.split(',').map((field) => field.split(':')[0]?.trim() ?? '');
  return names
    .filter((name) => /^\w+$/.test(name))
    .map((name) => `\`${name}\``)
    .join(', ');
}
