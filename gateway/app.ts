/** The composition root: makes every part once, from one config, and joins them into the line. */
import type { Server } from 'node:http';
import { totalmem } from 'node:os';
import type { Logger } from 'pino';
import { openClient } from './backend/channel.ts';
import { createTfServing } from './backend/tf-serving.ts';
import { type Config, ConfigError } from './config.ts';
import { createFetch } from './fetch/http.ts';
import { createAdmin } from './http/admin.ts';
import { createBodyReader } from './http/body.ts';
import { createDoor } from './http/door.ts';
import { createHealth } from './http/health.ts';
import { createPredict } from './http/predict.ts';
import { createService } from './http/service.ts';
import { decoderMemory } from './image/decoder/memory.ts';
import { type Decoders, defaultDecoders, startDecoders } from './image/decoder/pool.ts';
import { createNormaliser, type Normaliser } from './image/normalise.ts';
import { createLifecycle, type Lifecycle } from './lifecycle.ts';
import type { ModelCard } from './model/card.ts';
import { proveParity } from './model/parity.ts';
import { createRoute } from './model/route.ts';
import { ModelWatch } from './model/watch.ts';
import { countClassification, createMetrics, type Metrics, showModel } from './observe/metrics.ts';
import { createAdmission } from './pipeline/admission.ts';
import { classify } from './pipeline/classify.ts';
import { ownContext } from './pipeline/context.ts';
import type { Line } from './pipeline/fill.ts';
import type { ImageSpec } from './pipeline/request.ts';
import { createPool } from './tensor/pool.ts';
import { createPredictRequest } from './tensor/predict-request.ts';
import { createPredictionReader } from './tensor/predict-response.ts';

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
  readonly cards: ReadonlyMap<string, ModelCard>;
  /** Where the model server listens, as TF_SERVING_HOST has it. */
  readonly target: string;
};

const LATE_BODY_MS = 1000;
/** Unused request memory that is kept: some sixty requests of one 299 x 299 image. */
const POOL_BYTES = 64 * 2 ** 20;
const MAX_REDIRECTS = 3;
const CONNECT_TIMEOUT_MS = 2000;
/** Connections to one image source at once, so that a slow one cannot take every place. */
const SOCKETS_PER_SOURCE = 16;

/** Makes the gateway, its decoder processes too. Opens no port. Throws ConfigError for settings that only the part they are for can judge. */
export function createApp({ config, log, cards, target }: AppOptions): App {
  const lifecycle = createLifecycle();
  const admission = createAdmission(config);
  const metrics = createMetrics(admission);
  const client = judged(() => openClient(target), 'TF_SERVING_HOST');
  const createRequest = createPredictRequest.bind(undefined, createPool(POOL_BYTES));
  const codec = { createRequest, readPrediction: createPredictionReader() };
  const onStatus = (method: string, code: string) => metrics.backendCalls.inc({ method, code });
  const backend = createTfServing({ client, codec, onStatus });
  const fetch = openFetch(config);
  const decoders = openDecoders(config, metrics, log);
  const images = { decode: decoders.decode, normalise: createNormalise() };
  const watch = new ModelWatch({
    cards,
    backend,
    log,
    prove: (binding, signal) => proveParity(binding, { backend, ...images }, ownContext(signal, log)),
    onChange: (model, state) => showModel(metrics, model, state),
  });
  const resolve = createRoute({ cards, backend, latest: (model) => watch.latest(model) });
  const line: Line = { resolve, fetch, backend, ...images };

  const door = createDoor({ timeoutMs: config.requestTimeoutMs, log, metrics, isDraining: lifecycle.isDraining });
  const predict = createPredict({
    readBody: createBodyReader(config),
    maxInstances: config.maxInstances,
    async classify(request, context) {
      const answer = await admission.admit(context.signal, () => classify(line, request, context));
      countClassification(metrics, answer);
      return answer;
    },
  });
  // The door answers a late body with 408 by its deadline; Node's own limit comes after that.
  const requestTimeoutMs = config.requestTimeoutMs + LATE_BODY_MS;
  const health = createHealth({ lifecycle, states: () => watch.states });
  return {
    service: lifecycle.serve(createService({ door, predict, health }), requestTimeoutMs),
    admin: lifecycle.serve(createAdmin({ metrics, health, log }), requestTimeoutMs),
    lifecycle,
    watch: (signal) => watch.run(signal),
    ready: watch.ready,
    close() {
      fetch.close();
      backend.close();
      decoders.close();
    },
  };
}

function openFetch(config: Config) {
  return judged(() =>
    createFetch({
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
    }),
  );
}

function openDecoders(config: Config, metrics: Metrics, log: Logger): Decoders {
  const { maxImagePixels: maxPixels, decoders: count = defaultDecoders() } = config;
  const limitBytes = Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem());
  const { pixelsAtOnce, neededBytes } = decoderMemory(count, maxPixels, limitBytes);
  if (neededBytes > limitBytes) {
    log.warn({ neededBytes, limitBytes }, 'too little memory for an image of MAX_IMAGE_PIXELS and so many DECODERS');
  }
  return startDecoders({
    formats: config.imageFormats,
    maxPixels,
    maxBytes: config.maxImageBytes,
    count,
    pixelsAtOnce,
    timeoutMs: config.decodeTimeoutMs,
    log,
    onLoss: (why) => metrics.decoderLosses.inc({ why }),
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
function judged<T>(make: () => T, setting?: string): T {
  try {
    return make();
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(setting ? `${setting}: ${text}` : text, { cause });
  }
}
