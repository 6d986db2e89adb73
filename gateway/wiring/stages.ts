import type { Backend } from '../domain/backend.ts';
import { ownContext } from '../domain/context.ts';
import type { FillRow, MeasurePixels } from '../domain/picture.ts';
import { ExplainShare } from '../explain/share.ts';
import { createFetch } from '../fetch/http.ts';
import { checkHeader } from '../image/header-check.ts';
import { createWriters } from '../image/normalise.ts';
import { openPictures, type Pictures } from '../image/pictures.ts';
import { pixelOf } from '../image/pixel.ts';
import { createMeasure } from '../image/statistics.ts';
import { ByteBudget } from '../machine/byte-budget.ts';
import { createFindBaseline } from '../model/baselines.ts';
import type { ModelFolders } from '../model/folders.ts';
import { PROOF_TIMEOUT_MS, proveParity } from '../model/parity.ts';
import type { Routed } from '../model/route.ts';
import { measureOnce, warmUp } from '../model/warm-up.ts';
import { ModelWatch } from '../model/watch.ts';
import { Drift } from '../observe/drift/open.ts';
import { countExplanation, showFeatures, showModel } from '../observe/metrics.ts';
import type { Stages } from '../pipeline/stages.ts';
import { createPool } from '../tensor/pool.ts';
import { openCopyQueue } from './copies.ts';
import type { ModelBackends } from './model-backends.ts';
import { openModelServers } from './model-servers.ts';
import { checked, decodeLimits, fetchOptions } from './settings.ts';
import type { StagesOptions } from './stages-options.ts';
import { type OpenTraffic, openTraffic } from './traffic.ts';

/** Memory of decoded pixels that is kept for reuse. Enough for one picture of each decoder. */
export const PIXELS_POOL_BYTES = 4 * 2 ** 20;

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
  const queue = openCopyQueue(options, () => watch.cards);
  const answers = { ofRequests: new ByteBudget(plan.maxAnswerBytes), ofCopies: queue.memory };
  const servers = openModelServers(options, answers);
  const { backends } = servers;
  const limits = decodeLimits(config);
  const fetch = checked(() => createFetch(fetchOptions(config, descriptors.maxSourceSockets)));
  opened.defer(() => fetch.close());
  const parts: ModelParts = {
    backends,
    fillRow: pictures.fillRow,
    measurePixels: createMeasure(),
    pixel: pixelOf(config.imageFormats),
  };
  const watch = watchModels(options, { ...parts, withdrawal: (card) => traffic.withdrawal(card) });
  const drift = new Drift({ log: options.log, usual: () => usualVersions(watch) });
  showFeatures(options.metrics, drift);
  const traffic = openTraffic(options, { watch, servers, queue });
  const stages: Stages = {
    route: traffic.route,
    admission,
    ownAdmission: (card) => ownAdmissions.of(card),
    fetch,
    fetchedBytes: new ByteBudget(plan.maxFetchedBytes),
    maxFetchedBytes: plan.maxFetchedBytesOfRequest,
    fillRow: parts.fillRow,
    measurePixels: parts.measurePixels,
    writersOf: createWriters,
    explainShare: new ExplainShare({ maxCalls: config.explainMaxCalls, concurrency: config.explainConcurrency }),
    onExplained: ({ method, calls, ms }) => countExplanation(options.metrics, { method, calls, ms }),
    checkEncoded: (bytes, field) => void checkHeader(bytes, { field, ...limits }),
    backend: backends.predictions,
    baselineOf: createFindBaseline(),
    onPredicted(predicted, context) {
      drift.onPredicted(predicted, context);
      options.predictions?.onPredicted(predicted, context);
      traffic.onPredicted(predicted, context);
    },
    onOutcome: traffic.onOutcome,
  };
  const decodingProblem = () => {
    const isNeeded = [...watch.cards.values()].some(({ image }) => image && !('encoded' in image));
    return isNeeded ? pictures.problem : undefined;
  };
  const setModels = (folders: ModelFolders) => {
    watch.setModels(folders);
    backends.setModels(folders.cards);
    ownAdmissions.setModels(folders.cards);
    traffic.setModels(folders.cards);
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

type ModelParts = {
  readonly backends: ModelBackends;
  readonly fillRow: FillRow;
  readonly measurePixels: MeasurePixels;
  readonly pixel: Uint8Array;
};

type WatchParts = ModelParts & Pick<OpenTraffic, 'withdrawal'>;

function watchModels({ config, log, metrics, explain }: StagesOptions, parts: WatchParts): ModelWatch {
  return new ModelWatch({
    ...parts.backends.of({}),
    serversOf: (card) => parts.backends.of(card),
    readyWhen: config.readyWhen,
    explain,
    withdrawal: parts.withdrawal,
    log,
    async prove(binding, server, signal) {
      const context = ownContext(signal, log, PROOF_TIMEOUT_MS);
      const own = { ...parts, backend: atServer(parts.backends.of(binding.card).backend, server) };
      const parity = await proveParity(binding, own, context);
      // A proof has already sent pictures through the whole line.
      if (parity.state === 'unproven') await warmUp(binding, own, context);
      measureOnce(binding, parts.measurePixels);
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
