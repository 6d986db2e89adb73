/**
 * The text of docs/limits.md: what each limit bounds and which errors it causes. Defaults and statuses come from the
 * code.
 */

import { MAX_MESSAGE_BYTES } from '../gateway/backend/grpc/channel.ts';
import { MAX_LOOK_UP_BYTES, MAX_LOOK_UP_FIELDS } from '../gateway/backend/grpc/look-up-call.ts';
import { type Config, SETTINGS } from '../gateway/config/schema.ts';
import { KINDS, type Kind } from '../gateway/errors.ts';
import { MAX_URL_BYTES } from '../gateway/fetch/source-url.ts';
import { MAX_WAITING_CALLS } from '../gateway/grpc/calls.ts';
import { MAX_CALLS, MAX_HEADER_BYTES } from '../gateway/grpc/server.ts';
import { FREE_PIECES, MIN_PIECE_BYTES } from '../gateway/http/body-pieces.ts';
import { MAX_CONTENT_TYPE_LENGTH } from '../gateway/http/content-type.ts';
import { MAX_HEADERS, MAX_HEADS_BYTES } from '../gateway/http/heads.ts';
import { MEMBER_BYTES, OBJECT_BYTES, VALUE_BYTES } from '../gateway/http/json/heap.ts';
import { MAX_LINGER_BYTES } from '../gateway/http/linger.ts';
import { MAX_UNANSWERED, MAX_WAITING } from '../gateway/http/pipelining.ts';
import { MAX_PARTS } from '../gateway/image/header/header.ts';

import { CHECKS_OF_SERVER } from '../gateway/model/watch.ts';
import { MAX_PICTURES } from '../gateway/pipeline/encoded-pictures.ts';

import { MAX_DEPTH, OTHER_VALUES } from '../gateway/protocol/predict/json-body.ts';
import { VALUES_OF_PICTURE } from '../gateway/tensor/pictures.ts';
import { table } from './table.ts';

type Limit = {
  readonly bounds: string;
  readonly kinds: readonly Kind[];
  /** What the client sees of a limit without kinds. */
  readonly effect?: string;
};

const LIMITS: Readonly<Partial<Record<keyof Config, Limit>>> = {
  requestTimeoutMs: {
    bounds: 'time of one request, from its headers to its answer: body, queue, fetch, decode and model together',
    kinds: ['client_timeout', 'overloaded', 'source_timeout', 'model_timeout'],
  },
  maxInFlight: {
    bounds: 'memory: images held at once. A measured limit sets how many are processed; the others wait in the queue',
    kinds: [],
  },
  maxQueue: { bounds: 'waiting time, and memory of waiting requests', kinds: ['overloaded'] },
  maxBodyBytes: {
    bounds:
      'memory: the body of one request, or its message over gRPC. All bodies together may take four times as much (then 503 `overloaded`)',
    kinds: ['body_too_large'],
  },
  maxImageBytes: {
    bounds:
      'memory and bandwidth: one encoded image, whatever way it came; in a batch only that image fails. A download is counted as it arrives; all together may take MAX_IN_FLIGHT times as much (then 503 `overloaded`), those of one request a quarter of it',
    kinds: ['body_too_large', 'source_too_large'],
  },
  maxImagePixels: {
    bounds: 'memory and CPU: one decoded image. Read from its header, before decoding',
    kinds: ['image_too_large'],
  },
  explainMaxCalls: {
    bounds: 'CPU of the model servers: inputs scored for all explanations of one request',
    kinds: ['invalid_request'],
  },
  explainConcurrency: {
    bounds: 'CPU of the model servers: requests explained at once. Their calls wait for predictions',
    kinds: ['overloaded'],
  },
  maxOutputBytes: {
    bounds:
      'memory and CPU: what the model server may answer for one image. Where the signature has the shapes of all outputs, the limit is 16 bytes for each of their elements. 64 kB are added for names. A larger answer is refused by its announced length',
    kinds: ['model_failed'],
  },
  maxInstances: { bounds: 'work per request', kinds: ['body_too_large'] },
  decoders: { bounds: 'CPU and memory: images decoded at once, but for small JPEGs; the others wait', kinds: [] },
  decodeTimeoutMs: {
    bounds: 'time to decode one image. After it the decoder is killed and replaced',
    kinds: ['image_unreadable'],
  },
  rateLimit: { bounds: 'requests per API key, or per client address without keys', kinds: ['quota'] },
  maxConnections: {
    bounds:
      'sockets. Never more than half of the open files that the process does not need itself (`ulimit -n`). GRPC_PORT takes 1,024 more, or a sixteenth of those',
    kinds: [],
    effect: 'the connection that has waited longest for a request is closed',
  },
  imageFormats: { bounds: 'attack surface: the image decoders that a request can reach', kinds: ['image_unsupported'] },
  fetchAllow: { bounds: 'where images are fetched from', kinds: ['source_forbidden'] },
  fetchDeny: { bounds: 'where images are fetched from', kinds: ['source_forbidden'] },
  fetchBuckets: { bounds: 'which buckets images are read from', kinds: ['source_forbidden'] },
  fetchPorts: { bounds: 'where images are fetched from', kinds: ['source_forbidden'] },
  fetchMaxRedirects: { bounds: 'requests of one download', kinds: ['source_failed'] },
  fetchTimeoutMs: { bounds: 'time of one download, with all redirects', kinds: ['source_timeout'] },
};

type Fixed = Limit & { readonly what: string; readonly value: string };

const FIXED: readonly Fixed[] = [
  {
    what: 'unanswered requests of one connection',
    value: String(MAX_UNANSWERED),
    bounds: `pipelining: one is handled, the others wait. At most ${MAX_WAITING} wait on all connections together`,
    kinds: ['overloaded'],
  },
  {
    what: 'headers of one request',
    value: String(MAX_HEADERS),
    bounds: 'memory: each takes two strings',
    kinds: ['invalid_request'],
  },
  {
    what: 'headers of all requests that have not arrived completely',
    value: `${MAX_HEADS_BYTES / 2 ** 20} MiB`,
    bounds: 'memory: as strings they take up to three times as much',
    kinds: [],
    effect: 'its connection is closed',
  },
  {
    what: 'pieces (chunks) of one body',
    value: `${FREE_PIECES}, and one more for each ${MIN_PIECE_BYTES} bytes`,
    bounds: 'CPU: each takes a microsecond, whatever its size',
    kinds: ['invalid_request'],
  },
  {
    what: 'calls of one gRPC connection at once',
    value: String(MAX_CALLS),
    bounds: 'memory: a client sends the others later',
    kinds: [],
  },
  {
    what: 'calls of all gRPC connections that wait for their clients',
    value: String(MAX_WAITING_CALLS),
    bounds: 'memory: those whose message has not arrived, or whose answer is not taken',
    kinds: [],
    effect: 'the oldest of the connection with most of them is refused as not processed; clients may send it again',
  },
  {
    what: 'headers of one gRPC call',
    value: `${MAX_HEADER_BYTES / 1024} KiB`,
    bounds: 'memory',
    kinds: [],
    effect: 'the call is refused with ENHANCE_YOUR_CALM',
  },
  {
    what: 'rest of a request that was answered early',
    value: `${MAX_LINGER_BYTES / 2 ** 20} MiB`,
    bounds: 'bandwidth: what is read and dropped so that a client that is still sending sees the answer',
    kinds: [],
    effect: 'its connection is closed',
  },
  {
    what: 'JSON',
    value: `${MAX_DEPTH} levels; ${OTHER_VALUES} values, and ${VALUES_OF_PICTURE} for each image of MAX_INSTANCES`,
    bounds: 'CPU and memory: counted while the body arrives. Strings are bounded by MAX_BODY_BYTES only',
    kinds: ['invalid_json', 'body_too_large'],
  },
  {
    what: 'JSON of any route',
    value: `${VALUE_BYTES} bytes for each value, ${OBJECT_BYTES} more for an object, ${MEMBER_BYTES} for a member; in all 4 × MAX_BODY_BYTES + 32 MB with the text`,
    bounds: 'memory of the thread that parses it',
    kinds: ['body_too_large'],
  },
  {
    what: 'encoded pictures in one tensor, for a model that decodes them itself',
    value: String(MAX_PICTURES),
    bounds: 'time of the event loop',
    kinds: ['body_too_large', 'invalid_tensor'],
  },
  {
    what: 'length of Content-Type',
    value: `${MAX_CONTENT_TYPE_LENGTH} characters`,
    bounds: 'parsing: its time grows with the square of the length',
    kinds: ['unsupported_media'],
  },
  { what: 'length of a URL', value: `${MAX_URL_BYTES} bytes`, bounds: 'parsing', kinds: ['invalid_url'] },
  {
    what: 'parts of an image header',
    value: String(MAX_PARTS),
    bounds: 'CPU: segments, blocks, boxes or tags read before the size is known',
    kinds: ['image_unreadable'],
  },
  {
    what: 'message to the model server',
    value: `${MAX_MESSAGE_BYTES / 2 ** 20} MiB`,
    bounds: 'memory: the tensor of one request',
    kinds: ['body_too_large'],
  },
  {
    what: 'checks of versions that run at once on one model server',
    value: String(CHECKS_OF_SERVER),
    bounds: 'memory: thousands of models may appear at once, and each check sends pictures',
    kinds: [],
    effect: 'a model is ready later',
  },
  {
    what: 'signatures or versions of a model, as the model server lists them',
    value: `${MAX_LOOK_UP_BYTES / 2 ** 20} MiB, ${MAX_LOOK_UP_FIELDS} fields`,
    bounds: 'memory and CPU: enough for 5,000 tensors or 10,000 versions. Above it the model is not ready',
    kinds: ['model_failed'],
  },
];

/** Settings with the name of a limit that have no row in LIMITS. Tests require that there are none. */
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

Everything that a client can make large, slow or numerous has a limit. A request over a limit fails alone, with one of
the kinds in [errors.md](errors.md). \`make docs\` writes this page from the code.

## Settings
${table(['setting', 'default', 'what it bounds', 'what the client sees'], rows)}

## Fixed
${table(['limit', 'value', 'what it bounds', 'what the client sees'], fixed)}
`;
}

function seenOf({ kinds, effect = 'a longer wait' }: Limit): string {
  return kinds.map((kind) => `${KINDS[kind].status} \`${kind}\``).join(', ') || effect;
}
