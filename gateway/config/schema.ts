/** The table of all settings. The parser, `tensorgate config --help` and docs/settings.md are made from it. */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { rate } from '../access/rate.ts';
import { BACKEND_PROTOCOLS } from '../domain/own-limits.ts';
import { headerText, lineTarget, origins, proxies, proxyUrl, redisUrl, route } from './network-values.ts';
import { bytes, duration, integer, list, oneOf, pixels, port, ports, share, someOf, trueOrFalse } from './values.ts';

const MODELS_IN_THE_REPOSITORY = fileURLToPath(new URL('../../serving/models', import.meta.url));

export const schema = z.object({
  host: z.string().prefault('0.0.0.0').describe('address to listen on'),
  port: port().prefault('9696').describe('port of the service; 0: any free port'),
  aipHttpPort: port()
    .optional()
    .describe('port of the service on Vertex AI, which sets it; if set, PORT does not count'),
  aipHealthRoute: route()
    .optional()
    .describe('path of the health check on Vertex AI, which sets it; answers as /health/ready does'),
  aipPredictRoute: route()
    .optional()
    .describe('path of predictions on Vertex AI, which sets it; answers as /invocations does'),
  grpcPort: port().optional().describe('port of the gRPC protocols; 0: any free port; unset: no gRPC'),
  adminPort: port().prefault('9697').describe('port of metrics, health and log level; do not expose it'),
  tfServingHost: z
    .string()
    .optional()
    .describe('model servers: host:port, several by comma, or dns:///name:8500; unset: starts the embedded server'),
  backendProtocol: oneOf(...BACKEND_PROTOCOLS)
    .prefault('tf-serving')
    .describe('gRPC protocol of TF_SERVING_HOST: tf-serving, or open-inference for Triton, OpenVINO, MLServer, KServe'),
  tfServingCaFile: z
    .string()
    .optional()
    .describe('CA certificates (PEM) that verify the model servers; if set, connections to them use TLS'),
  tfServingCertFile: z
    .string()
    .optional()
    .describe('client certificate (PEM) for the model servers (mTLS); all three files are reloaded when they change'),
  tfServingKeyFile: z.string().optional().describe('private key (PEM) of the client certificate'),
  hedgeAfterMs: duration()
    .optional()
    .describe('time without an answer after which a second model server is asked too, such as 300ms; unset: never'),
  models: z.string().prefault(MODELS_IN_THE_REPOSITORY).describe('folder of NAME/model.yaml files; may be empty'),
  modelName: z
    .string()
    .optional()
    .describe('the model of requests that name none; unset: the only one that takes images, else the only one'),
  readyWhen: oneOf('any', 'all')
    .prefault('any')
    .describe('the gateway is ready when any model is, or only when all are'),
  requestTimeoutMs: duration().prefault('20s').describe('deadline of a request, from its headers to its answer'),
  maxInFlight: integer(1, 100_000)
    .prefault('64')
    .describe('images held at once, from admission to the answer; a larger request runs alone'),
  maxQueue: integer(0, 1_000_000).prefault('64').describe('requests that may wait for room'),
  maxBodyBytes: bytes().prefault('32MB').describe('largest request body'),
  maxImageBytes: bytes().prefault('10MB').describe('largest encoded image, fetched or sent'),
  maxImagePixels: pixels()
    .prefault('50MP')
    .describe('largest image, width times height by its header; half of it for AVIF'),
  decoders: integer(1, 64)
    .optional()
    .describe(
      'images that threads and processes decode at once; small JPEGs need neither; unset: one per core of the CPU limit, at most 4',
    ),
  decodeTimeoutMs: duration().prefault('5s').describe('time limit for decoding and resizing one image'),
  maxOutputBytes: bytes()
    .prefault('1MB')
    .describe("most bytes of the model server's answer for one image; a signature of known size lowers it"),
  maxInstances: integer(1, 4096).prefault('64').describe('most images in one request'),
  explainMaxCalls: integer(2, 1_000_000)
    .prefault('2000')
    .describe('most inputs that the model scores for all explanations of one request'),
  explainConcurrency: integer(1, 10_000).prefault('2').describe('requests that are explained at once; others get 429'),
  // TIFF is not in the default: it has many variants, and few photos are TIFF files.
  imageFormats: someOf('jpeg', 'png', 'webp', 'gif', 'avif', 'tiff')
    .prefault('jpeg,png,webp,gif,avif')
    .describe('accepted image formats; all: jpeg, png, webp, gif, avif, tiff'),
  fetchAllow: list()
    .prefault('')
    .describe('hosts (a.com, *.a.com, .a.com: both), origins or CIDRs to fetch from; if it lists a host, only those'),
  fetchDeny: list().prefault('').describe('hosts, origins or CIDRs that are never fetched from'),
  fetchBuckets: list()
    .prefault('')
    .describe(
      "buckets to read from with the platform's credentials: gs://bucket, s3://bucket/folder/; none by default",
    ),
  fetchPorts: ports().prefault('80,443').describe('ports of public hosts that may be fetched from'),
  fetchAllowPrivate: trueOrFalse()
    .prefault('false')
    .describe('fetch from private and loopback addresses too, on any port (development)'),
  fetchMaxRedirects: integer(0, 100).prefault('10').describe('redirects that one download may follow'),
  fetchUserAgent: headerText().prefault('tensorgate').describe('User-Agent of downloads'),
  fetchProxy: proxyUrl()
    .optional()
    .describe('egress proxy for downloads, http://[USER:PASSWORD@]HOST:PORT; it has to allow CONNECT to addresses'),
  fetchTimeoutMs: duration().prefault('5s').describe('time limit for one download, including its redirects'),
  apiKeysFile: z
    .string()
    .optional()
    .describe('file of API keys (tensorgate keys new NAME); unset: requests need no key'),
  rateLimit: rate().optional().describe('requests per key, or per client address without keys: 20/s, 600/m, 5000/h'),
  redisUrl: redisUrl()
    .optional()
    .describe('Redis in which all replicas count rate limits; unset: each replica counts for itself'),
  trustedProxies: proxies()
    .prefault('0')
    .describe('proxies whose X-Forwarded-For is trusted: their number, or their addresses and CIDRs'),
  corsOrigins: origins().optional().describe('origins whose pages may call from a browser, or *'),
  playground: trueOrFalse().prefault('true').describe('the page at / that tries models in a browser, and /docs'),
  maxConnections: integer(1, 1_000_000).prefault('10000').describe('most open connections'),
  tlsCertFile: z
    .string()
    .optional()
    .describe('certificate chain (PEM) for TLS on PORT and GRPC_PORT; reloaded when it changes'),
  tlsKeyFile: z.string().optional().describe('private key (PEM) of that certificate'),
  predictionLog: lineTarget()
    .prefault('off')
    .describe('where a line of JSON for each prediction goes: off, stdout, a folder, or https:// for CloudEvents'),
  predictionLogSample: share().prefault('100%').describe('the part of the requests in the prediction log, such as 10%'),
  logLevel: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent').prefault('info').describe('log level'),
});

export type Config = Readonly<z.output<typeof schema>>;

/** Settings whose values may have a password. Their values are not printed. */
export const SECRETS: ReadonlySet<keyof Config> = new Set(['redisUrl', 'fetchProxy']);

/** A setting: its variable, flag, default and help text. */
export type Setting = {
  readonly key: keyof Config;
  readonly env: string;
  readonly flag: string;
  readonly fallback: string;
  readonly help: string;
};

/** The settings in the order of the schema. A variable has the name of its key, without the unit `Ms`. */
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
