/** The composition root: makes every part once, from one config, and joins them into the line. */
import type { Server } from 'node:http';
import type { Logger } from 'pino';
import { openAccess } from './access/open.ts';
import { Admission } from './admission/admission.ts';
import { insist } from './admission/retry-while-full.ts';
import { openClient } from './backend/grpc/channel.ts';
import { type BackendTls, readTls } from './backend/grpc/tls.ts';
import { createTfServing } from './backend/tf-serving/backend.ts';
import { type Config, ConfigError } from './config.ts';
import { ownContext } from './domain/context.ts';
import type { ImageSpec } from './domain/picture.ts';
import { createFetch, type FetchOptions } from './fetch/http.ts';
import { createAdmin } from './http/admin.ts';
import { createBodyReader } from './http/body.ts';
import { createCallers } from './http/callers.ts';
import { createDoor } from './http/door.ts';
import { createHealth } from './http/health.ts';
import { createLifecycle, type Lifecycle } from './http/lifecycle.ts';
import { refuseMalformed } from './http/malformed.ts';
import { createLimitedServer } from './http/server.ts';
import { createService } from './http/service.ts';
import type { TlsFiles } from './http/tls.ts';
import { type DecoderOptions, type Decoders, startDecoders } from './image/decoder/pool.ts';
import { createNormaliser, type Normaliser } from './image/normalise.ts';
import { type MemoryPlan, planMemory } from './machine/memory-plan.ts';
import { reloading } from './machine/reload.ts';
import type { ModelCard } from './model/card.ts';
import { proveParity } from './model/parity.ts';
import { createRoute } from './model/route.ts';
import { warmUp } from './model/warm-up.ts';
import { ModelWatch } from './model/watch.ts';
import { countClassification, createMetrics, showDroppedLines, showModel } from './observe/metrics.ts';
import { classify } from './pipeline/classify.ts';
import { IMAGES_AT_ONCE, type Line } from './pipeline/fill.ts';
import { createPredict } from './protocol/predict/routes.ts';
import { createPool } from './tensor/pool.ts';

export type App = {
  readonly service: Server;
  readonly admin: Server;
  readonly lifecycle: Lifecycle;
  /** Watches the models until the signal is aborted. */
  watch(signal: AbortSignal): Promise<void>;
  /** Resolves when every model is ready for the first time. */
  readonly ready: Promise<void>;
  /** Closes what outlives requests: the connections to image sources and to the model server, the decoder processes. */
  close(): void;
};

export type AppOptions = {
  readonly config: Config;
  readonly log: Logger;
  /** How many lines of the log were dropped so far. */
  readonly droppedLines: () => number;
  readonly cards: ReadonlyMap<string, ModelCard>;
  /** Where the model server listens, as TF_SERVING_HOST has it. */
  readonly target: string;
};

const LATE_BODY_MS = 1000;
/** Unused memory of decoded pixels that is kept: more than there are decoders is seldom in use. */
const PIXELS_POOL_BYTES = 4 * 2 ** 20;
const MAX_REDIRECTS = 3;
const CONNECT_TIMEOUT_MS = 2000;
/** Connections to one image source at once, so that a slow one cannot take every place. */
const SOCKETS_PER_SOURCE = 16;

/**
 * Makes the gateway, its decoder processes too. Opens no port. Throws ConfigError for settings that only the part they are
 * for can judge.
 */
export function createApp({ config, log, droppedLines, cards, target }: AppOptions): App {
  const lifecycle = createLifecycle();
  // What is open is closed again where a later part does not like its settings.
  using opened = new DisposableStack();
  const admission = new Admission({ ...config, imagesAtOnce: IMAGES_AT_ONCE });
  const { memory, maxHeldBytes, ...plan } = planMemory(config, log);
  opened.defer(() => memory.close());
  const metrics = createMetrics(admission, memory);
  showDroppedLines(metrics, droppedLines);
  // Readiness waits for them: they start while the rest is made.
  const onLoss = (why: string) => metrics.decoderLosses.inc({ why });
  const decoders = openDecoders(config, { ...plan, log, onLoss });
  opened.defer(() => decoders.close());
  // The embedded server is a process of the gateway's own.
  const tls = config.tfServingHost === undefined ? undefined : judged(() => openBackendTls(config, log, opened));
  const channel = { tls, requestTimeoutMs: config.requestTimeoutMs };
  const client = judged(() => openClient(target, channel), 'TF_SERVING_HOST');
  const onStatus = (method: string, code: string) => metrics.backendCalls.inc({ method, code });
  const onExtraAttempt = (reason: string) => metrics.backendExtraAttempts.inc({ reason });
  const backend = createTfServing({ client, hedgeAfterMs: config.hedgeAfterMs, onStatus, onExtraAttempt });
  opened.defer(() => backend.close());
  const fetch = judged(() => createFetch(fetchOptions(config)));
  opened.defer(() => fetch.close());
  const images = { decode: decoders.decode, normalise: createNormalise() };
  const watch = new ModelWatch({
    cards,
    backend,
    log,
    async prove(binding, signal) {
      const context = ownContext(signal, log);
      const parity = await proveParity(binding, { backend, ...images }, context);
      // The proof has warmed everything up.
      if (parity.state === 'unproven') await warmUp(binding, { backend, decoders, ...images }, context);
      return parity;
    },
    onChange: (model, state) => showModel(metrics, model, state),
  });
  const resolve = createRoute({ cards, backend, latest: (model) => watch.latest(model) });
  const line: Line = {
    resolve,
    // Waiting for somebody else's server says nothing about us and takes no place from others.
    fetch: (url, field, context) => admission.lend(context, () => fetch(url, field, context)),
    rest: (context) => admission.rest(context),
    insist: (context, call) => insist(admission, context, call),
    backend,
    ...images,
  };

  const { apiKeysFile: keysFile, redisUrl, rateLimit: rate, requestTimeoutMs: timeoutMs } = config;
  const access = judged(() => openAccess({ keysFile, redisUrl, log }), 'API_KEYS_FILE');
  opened.defer(() => access.close());
  const callers = createCallers({ ...access, rate });
  const isClosing = () => lifecycle.isDraining() || memory.state !== 'ok';
  const door = createDoor({ callers, timeoutMs, log, metrics, isClosing });
  const predict = createPredict({
    readBody: createBodyReader({ ...config, maxHeldBytes }),
    maxInstances: config.maxInstances,
    check(context) {
      memory.check();
      admission.check(context);
    },
    async classify(request, context) {
      const images = request.instances.length;
      const answer = await admission.admit(context, images, () => classify(line, request, context));
      countClassification(metrics, answer);
      return answer;
    },
  });
  // The door answers a late body with 408 by its deadline; Node's own limit comes after that.
  const limits = { requestTimeoutMs: timeoutMs + LATE_BODY_MS, maxConnections: config.maxConnections, log };
  const health = createHealth({ lifecycle, states: () => watch.states });
  const service = judged(() => createService({ door, predict, health, ...serviceOptions(config) }), 'TRUSTED_PROXIES');
  const server = judged(
    () => createLimitedServer(service, { ...limits, tls: tlsFiles(config) }),
    'TLS_CERT_FILE, TLS_KEY_FILE',
  );
  const running: Omit<App, 'close'> = {
    service: lifecycle.serve(refuseMalformed(server, { log, metrics })),
    admin: lifecycle.serve(createLimitedServer(createAdmin({ metrics, health, log }), limits)),
    lifecycle,
    watch: (signal) => watch.run(signal),
    ready: watch.ready,
  };
  const parts = opened.move();
  return { ...running, close: () => parts.dispose() };
}

/** How this gateway fetches. */
export function fetchOptions(config: Config): FetchOptions {
  return {
    allow: config.fetchAllow,
    deny: config.fetchDeny,
    allowPrivate: config.fetchAllowPrivate,
    ports: config.fetchPorts,
    maxBytes: config.maxImageBytes,
    maxRedirects: MAX_REDIRECTS,
    timeoutMs: config.fetchTimeoutMs,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    maxSockets: SOCKETS_PER_SOURCE,
    userAgent: 'tensorgate',
  };
}

function serviceOptions({ trustedProxies, corsOrigins = [], tlsCertFile }: Config) {
  return { trustedProxies, corsOrigins, hasTls: tlsCertFile !== undefined };
}

function tlsFiles({ tlsCertFile: certFile, tlsKeyFile: keyFile }: Config): TlsFiles | undefined {
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile };
  if (certFile === keyFile) return undefined;
  throw new ConfigError('TLS_CERT_FILE and TLS_KEY_FILE: set both, or neither');
}

/** TLS to the model servers, with the certificates of now: those that are renewed (cert-manager) are read again. */
function openBackendTls(config: Config, log: Logger, opened: DisposableStack): BackendTls | undefined {
  const { tfServingCaFile, tfServingCertFile, tfServingKeyFile } = config;
  const renewal = reloading({
    files: [tfServingCaFile, tfServingCertFile, tfServingKeyFile].filter((file) => file !== undefined),
    load: () => readTls(config),
    onChange: (renewed) => renewed && tls?.renew(renewed),
    log,
  });
  opened.defer(() => renewal.close());
  // The one that connections are made with for good; what is read later only brings it its certificates.
  const tls = renewal.current;
  return tls;
}

type DecoderPlan = Pick<MemoryPlan, 'decoders' | 'pixelsAtOnce'> & Pick<DecoderOptions, 'onLoss' | 'log'>;

function openDecoders(config: Config, { decoders, ...plan }: DecoderPlan): Decoders {
  return startDecoders({
    formats: config.imageFormats,
    maxPixels: config.maxImagePixels,
    maxBytes: config.maxImageBytes,
    count: decoders,
    memory: createPool(PIXELS_POOL_BYTES),
    timeoutMs: config.decodeTimeoutMs,
    ...plan,
  });
}

/** Keeps a model's tables from picture to picture. */
function createNormalise(): Line['normalise'] {
  const normalisers = new WeakMap<ImageSpec, Normaliser>();
  return (pixels, spec, tensor) => {
    const normalise = normalisers.get(spec) ?? createNormaliser(spec);
    normalisers.set(spec, normalise);
    normalise(pixels, tensor);
  };
}

/** A part's own judgement of a setting, as the mistake in the settings that it is. */
export function judged<T>(make: () => T, setting?: string): T {
  try {
    return make();
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(setting ? `${setting}: ${text}` : text, { cause });
  }
}
