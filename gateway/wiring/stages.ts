/** Makes the stages of the line: decoders, backend, fetch, and the watch over the models. */
import type { Logger } from 'pino';
import type { Admission } from '../admission/admission.ts';
import type { AnswerLimits } from '../backend/grpc/answer-memory.ts';
import { openClient } from '../backend/grpc/channel.ts';
import { diagnose } from '../backend/grpc/diagnose.ts';
import { type BackendTls, readTls } from '../backend/grpc/tls.ts';
import { createBackend } from '../backend/protocols.ts';
import type { Config } from '../config/schema.ts';
import type { Backend } from '../domain/backend.ts';
import { ownContext } from '../domain/context.ts';
import type { OwnBackend } from '../domain/own-limits.ts';
import type { FillRow } from '../domain/picture.ts';
import { createFetch } from '../fetch/http.ts';
import { checkHeader } from '../image/header-check.ts';
import { openPictures, type Pictures } from '../image/pictures.ts';
import { pixelOf } from '../image/pixel.ts';
import { createMeasure } from '../image/statistics.ts';
import { ByteBudget } from '../machine/byte-budget.ts';
import type { DescriptorPlan } from '../machine/descriptors.ts';
import type { MemoryPlan } from '../machine/memory-plan.ts';
import { reloading } from '../machine/reload.ts';
import { createFindBaseline } from '../model/baselines.ts';
import type { ModelCard } from '../model/card.ts';
import type { ModelFolders } from '../model/folders.ts';
import { PROOF_TIMEOUT_MS, proveParity } from '../model/parity.ts';
import { createRoute, type Routed } from '../model/route.ts';
import { createUnreachable } from '../model/unreachable.ts';
import { warmUp } from '../model/warm-up.ts';
import { ModelWatch } from '../model/watch.ts';
import { Drift } from '../observe/drift/open.ts';
import { countOutcome, type Metrics, showCanaries, showFeatures, showModel } from '../observe/metrics.ts';
import type { OnPredicted } from '../pipeline/predicted.ts';
import type { Stages } from '../pipeline/stages.ts';
import { createPool } from '../tensor/pool.ts';
import { ModelBackends, type Servers } from './model-backends.ts';
import type { OwnAdmissions } from './own-admissions.ts';
import { checked, decodeLimits, fetchOptions, sharedProtocol } from './settings.ts';

/** Memory of decoded pixels that is kept for reuse. Enough for one picture of each decoder. */
export const PIXELS_POOL_BYTES = 4 * 2 ** 20;

export type StagesOptions = {
  readonly config: Config;
  readonly log: Logger;
  /** Why the model server has no version of a model, if the gateway can see it. */
  readonly explain: (card: ModelCard) => Promise<string | undefined>;
  /** Address of the model server, in the form of TF_SERVING_HOST. */
  readonly target: string;
  readonly admission: Admission;
  readonly ownAdmissions: OwnAdmissions;
  readonly plan: MemoryPlan;
  readonly descriptors: DescriptorPlan;
  readonly metrics: Metrics;
  /** Undefined where it is off. */
  readonly predictionLog: OnPredicted | undefined;
  /** Takes what has to be closed with the gateway. */
  readonly opened: DisposableStack;
};

export type Line = {
  readonly stages: Stages;
  readonly watch: ModelWatch;
  /** Sets the models to serve. */
  setModels(folders: ModelFolders): void;
  /** Sets the models that were read again. A file whose stable version cannot answer is refused, and the last one stays. */
  reload(folders: ModelFolders): Promise<void>;
  /** Why the models that need decoded pictures cannot have them, if there are any. */
  decodingProblem(): string | undefined;
};

/** Opens the decoders and the clients. Throws ConfigError for a setting that a part refuses. */
export function openStages(options: StagesOptions): Line {
  const { config, admission, ownAdmissions, plan, descriptors, opened } = options;
  const pictures = openDecoders(options);
  const tls = checked(() => openBackendTls(options));
  const backends = openBackends(options, new ByteBudget(plan.maxAnswerBytes), tls);
  const limits = decodeLimits(config);
  const fetch = checked(() => createFetch(fetchOptions(config, descriptors.maxSourceSockets)));
  opened.defer(() => fetch.close());
  const parts: ModelParts = {
    backends,
    fillRow: pictures.fillRow,
    pixel: pixelOf(config.imageFormats),
  };
  const watch = watchModels(options, parts);
  const drift = new Drift({ log: options.log, usual: () => usualVersions(watch) });
  showFeatures(options.metrics, drift);
  showCanaries(options.metrics, () => watch.states.all);
  const stages: Stages = {
    route: createRoute({
      cards: () => watch.cards,
      states: watch.states,
      model: (name) => watch.model(name),
      discovery: watch.discovery,
      defaultName: config.modelName,
      connected: (model) => backends.find(model).servers(),
    }),
    admission,
    ownAdmission: (card) => ownAdmissions.of(card),
    fetch,
    fetchedBytes: new ByteBudget(plan.maxFetchedBytes),
    maxFetchedBytes: plan.maxFetchedBytesOfRequest,
    fillRow: parts.fillRow,
    measurePixels: createMeasure(),
    checkEncoded: (bytes, field) => void checkHeader(bytes, { field, ...limits }),
    backend: backends.predictions,
    baselineOf: createFindBaseline(),
    onPredicted(predicted, context) {
      drift.onPredicted(predicted, context);
      options.predictionLog?.(predicted, context);
    },
    onOutcome: (outcome) => countOutcome(options.metrics, outcome),
  };
  const decodingProblem = () => {
    const isNeeded = [...watch.cards.values()].some(({ image }) => image && !('encoded' in image));
    return isNeeded ? pictures.problem : undefined;
  };
  const setModels = (folders: ModelFolders) => {
    watch.setModels(folders);
    backends.setModels(folders.cards);
    ownAdmissions.setModels(folders.cards);
  };
  const reload = async (folders: ModelFolders) => setModels(await watch.acceptable(folders));
  return { stages, watch, decodingProblem, setModels, reload };
}

function openDecoders({ config, log, plan, metrics, opened }: StagesOptions): Pictures {
  const pictures = openPictures({
    ...decodeLimits(config),
    timeoutMs: config.decodeTimeoutMs,
    count: plan.decoders,
    pixelsAtOnce: plan.pixelsAtOnce,
    memory: createPool(PIXELS_POOL_BYTES),
    log,
    onLoss: (why) => metrics.decoderLosses.inc({ why }),
    onDecoded: (decoder) => metrics.decoded.inc({ decoder }),
  });
  opened.defer(() => pictures.close());
  return pictures;
}

/** The shared model servers, and those that models have for themselves. */
function openBackends(options: StagesOptions, answers: ByteBudget, tls: BackendTls | undefined): ModelBackends {
  const { config, target, opened } = options;
  // The embedded server is a child process: no TLS.
  const sharedTls = config.tfServingHost === undefined ? undefined : tls;
  const sharedServers = { host: target, protocol: sharedProtocol(config) };
  const limits = { answers, maxOutputBytes: config.maxOutputBytes };
  const shared = checked(() => openServers(options, sharedServers, limits, sharedTls), 'TF_SERVING_HOST');
  const open = (own: OwnBackend) => openServers(options, own, limits, tls);
  const backends = new ModelBackends({ shared, open, closeAfterMs: config.requestTimeoutMs });
  opened.defer(() => shared.backend.close());
  opened.defer(() => backends.close());
  return backends;
}

function openServers(
  { config, log, metrics }: StagesOptions,
  { host, protocol }: OwnBackend,
  limits: AnswerLimits,
  tls: BackendTls | undefined,
): Servers {
  const { requestTimeoutMs, hedgeAfterMs } = config;
  const backend = createBackend(protocol, {
    client: openClient(host, { tls, requestTimeoutMs }),
    ...limits,
    hedgeAfterMs,
    onStatus: (method, code) => metrics.backendCalls.inc({ method, code }),
    onExtraAttempt: (reason) => metrics.backendExtraAttempts.inc({ reason }),
  });
  return { backend, unreachable: createUnreachable(() => diagnose(host, tls), log) };
}

/** TLS to the model servers. Renewed certificate files (cert-manager) are read again. */
function openBackendTls({ config, log, opened }: StagesOptions): BackendTls | undefined {
  const { tfServingCaFile, tfServingCertFile, tfServingKeyFile } = config;
  const renewal = reloading({
    files: [tfServingCaFile, tfServingCertFile, tfServingKeyFile].filter((file) => file !== undefined),
    load: () => readTls(config),
    onChange: (renewed) => renewed && tls?.renew(renewed),
    log,
  });
  opened.defer(() => renewal.close());
  // The client keeps this one; renewed files only replace its certificates.
  const tls = renewal.current;
  return tls;
}

type ModelParts = {
  readonly backends: ModelBackends;
  readonly fillRow: FillRow;
  readonly pixel: Uint8Array;
};

function watchModels({ config, log, metrics, explain }: StagesOptions, parts: ModelParts): ModelWatch {
  return new ModelWatch({
    ...parts.backends.of({}),
    serversOf: (card) => parts.backends.of(card),
    readyWhen: config.readyWhen,
    explain,
    log,
    async prove(binding, server, signal) {
      const context = ownContext(signal, log, PROOF_TIMEOUT_MS);
      const own = { ...parts, backend: atServer(parts.backends.of(binding.card).backend, server) };
      const parity = await proveParity(binding, own, context);
      // A proof has already sent pictures through the whole line.
      if (parity.state === 'unproven') await warmUp(binding, own, context);
      return parity;
    },
    onChange: (model, state) => showModel(metrics, model, state),
  });
}

/** The versions of each model that requests get which name none. */
function* usualVersions(watch: ModelWatch): Generator<Routed> {
  for (const card of watch.cards.values()) {
    for (const choice of watch.model(card.name)?.choices ?? []) yield { ...choice, card, role: 'stable' };
  }
}

/** The backend whose predictions go to one server. */
function atServer(backend: Backend, server: string): Backend {
  const only = new Set([server]);
  return { ...backend, prepare: (target, capacity) => backend.prepare({ ...target, only }, capacity) };
}
