/** The text of docs/limits.md: what each limit bounds and what a caller meets there. Defaults and statuses come from the code. */
import { MAX_MESSAGE_BYTES } from '../gateway/backend/grpc/channel.ts';
import { type Config, SETTINGS } from '../gateway/config.ts';
import { KINDS, type Kind } from '../gateway/errors.ts';
import { MAX_URL_BYTES } from '../gateway/fetch/source-url.ts';
import { MAX_STEPS } from '../gateway/image/header/header.ts';
import { createFillRoom } from '../gateway/tensor/tensor-proto.ts';
import { table } from './table.ts';

type Limit = { readonly bounds: string; readonly kinds: readonly Kind[] };

const LIMITS: Readonly<Partial<Record<keyof Config, Limit>>> = {
  requestTimeoutMs: {
    bounds: 'the time of a request, from its headers to its answer: body, queue, fetch, decode and model together',
    kinds: ['client_timeout', 'overloaded', 'source_timeout', 'model_timeout'],
  },
  maxInFlight: {
    bounds: 'memory: images held at once; how many are worked on is measured, the others wait',
    kinds: [],
  },
  maxQueue: { bounds: 'the wait, and the memory of those that wait', kinds: ['overloaded'] },
  maxBodyBytes: {
    bounds: 'memory: the body of one request; all bodies together take four times as much (503 `overloaded`)',
    kinds: ['body_too_large'],
  },
  maxImageBytes: {
    bounds: 'memory and bandwidth: one encoded image; of a source, counted as it arrives',
    kinds: ['body_too_large', 'source_too_large'],
  },
  maxImagePixels: {
    bounds: 'memory and processor: one decoded image, by its header, before anything is decoded',
    kinds: ['image_too_large'],
  },
  maxInstances: { bounds: 'work of one request', kinds: ['body_too_large'] },
  decoders: { bounds: 'processor and memory: images that are decoded at once; the others wait', kinds: [] },
  decodeTimeoutMs: {
    bounds: 'the time that one image may keep a decoder, which is ended and replaced',
    kinds: ['image_unreadable'],
  },
  rateLimit: { bounds: 'the requests of one API key, or one address where there are no keys', kinds: ['quota'] },
  maxConnections: { bounds: 'sockets: further ones are closed as they come', kinds: [] },
  imageFormats: { bounds: 'the decoders that a stranger can reach', kinds: ['image_unsupported'] },
  fetchAllow: { bounds: 'where images are fetched from', kinds: ['source_forbidden'] },
  fetchDeny: { bounds: 'where images are fetched from', kinds: ['source_forbidden'] },
  fetchPorts: { bounds: 'where images are fetched from', kinds: ['source_forbidden'] },
  fetchTimeoutMs: { bounds: 'the time of one download, all redirects included', kinds: ['source_timeout'] },
};

type Fixed = Limit & { readonly what: string; readonly value: string };

const FIXED: readonly Fixed[] = [
  { what: 'length of a URL', value: `${MAX_URL_BYTES} bytes`, bounds: 'parsing', kinds: ['invalid_url'] },
  {
    what: "parts of an image's header",
    value: String(MAX_STEPS),
    bounds: 'processor: segments, blocks, boxes or tags looked at before the size is known',
    kinds: ['image_unreadable'],
  },
  {
    what: 'message to or from the model server',
    value: `${MAX_MESSAGE_BYTES / 2 ** 20} MiB`,
    bounds: 'memory: the tensor of one request',
    kinds: ['body_too_large', 'model_failed'],
  },
  {
    what: 'elements that an answer of the model server leaves out',
    value: String(createFillRoom().elements),
    bounds: 'memory: values that repeat are not sent, and are filled in here',
    kinds: ['model_failed'],
  },
];

/** The settings that are named like a limit and have no row here. */
export function settingsWithoutRow(): string[] {
  const isLimit = (env: string) => /^MAX_|_MAX_|_TIMEOUT$|_PORTS$|_FORMATS$/.test(env);
  return SETTINGS.flatMap(({ key, env }) => (isLimit(env) && !LIMITS[key] ? [env] : []));
}

/** The text of docs/limits.md. */
export function limitsPage(): string {
  const rows = SETTINGS.flatMap(({ key, env, fallback }) => {
    const limit = LIMITS[key];
    return limit ? [[`\`${env}\``, fallback && `\`${fallback}\``, limit.bounds, seenOf(limit)]] : [];
  });
  const fixed = FIXED.map((limit) => [limit.what, limit.value, limit.bounds, seenOf(limit)]);
  return `# Limits

Everything that a stranger can make large, slow or many has a limit. Reaching one costs that request and nothing else:
the answer names the kind, which [errors.md](errors.md) explains. Written by \`make docs\` from the code.

## Settings
${table(['setting', 'default', 'what it bounds', 'what the caller sees'], rows)}

## Fixed
${table(['limit', 'value', 'what it bounds', 'what the caller sees'], fixed)}
`;
}

function seenOf({ kinds }: Limit): string {
  return kinds.map((kind) => `${KINDS[kind].status} \`${kind}\``).join(', ') || 'a longer wait';
}
