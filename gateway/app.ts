/** The composition root: makes every part once, from one config, and joins them. */
import type { Server } from 'node:http';
import type { Server as Listener } from 'node:net';
import type { Logger } from 'pino';
import { Admission } from './admission/admission.ts';
import type { Config } from './config/schema.ts';
import { createLifecycle, type Lifecycle } from './door/lifecycle.ts';
import { usableCores } from './machine/cores.ts';
import { defaultDecoders } from './machine/decoder-memory.ts';
import { planDescriptors } from './machine/descriptors.ts';
import { planMemory } from './machine/memory-plan.ts';
import { collectAtRest } from './machine/rest.ts';
import type { ModelCard } from './model/card.ts';
import type { ModelFolders } from './model/folders.ts';
import { createMetrics, showDroppedLines } from './observe/metrics.ts';
import type { Tracing } from './observe/traces/open.ts';
import { openDoors } from './wiring/doors.ts';
import { OwnAdmissions } from './wiring/own-admissions.ts';
import { openPredictions } from './wiring/prediction-log.ts';
import { checked } from './wiring/settings.ts';
import { openStages } from './wiring/stages.ts';

export type App = {
  readonly service: Server;
  readonly admin: Server;
  /** Absent without GRPC_PORT. */
  readonly grpc?: Listener;
  readonly lifecycle: Lifecycle;
  /** Sets the models that were read again. A file whose stable version cannot answer is refused, and the last one stays. */
  reload(folders: ModelFolders): Promise<void>;
  /** Watches the models until the signal is aborted. */
  watch(signal: AbortSignal): Promise<void>;
  /** Resolves when the gateway is ready for the first time. */
  readonly ready: Promise<void>;
  /**
   * Closes the ports, and what outlives requests: connections to image sources and model servers, decoder processes. Resolves when
   * the prediction log is written and the last traces are exported.
   */
  close(): Promise<void>;
};

export type AppOptions = {
  readonly config: Config;
  readonly log: Logger;
  /** Writes a line to stdout. False where it was dropped. */
  readonly writeLine: (line: string) => boolean;
  /** Log lines dropped so far. */
  readonly droppedLines: () => number;
  readonly folders: ModelFolders;
  /** Why the model server has no version of a model, if the gateway can see it. */
  readonly explain: (card: ModelCard) => Promise<string | undefined>;
  /** Address of the model server, in the form of TF_SERVING_HOST. */
  readonly target: string;
  /** Absent where the gateway records no traces. */
  readonly tracing: Tracing | undefined;
};

/**
 * Makes the gateway. Opens no port. Throws ConfigError for a setting that a part refuses;
 * then everything that was opened is closed again.
 */
export function createApp({
  config,
  log,
  writeLine,
  droppedLines,
  folders,
  explain,
  target,
  tracing,
}: AppOptions): App {
  using opened = new DisposableStack();
  const { maxInFlight, maxQueue } = config;
  const admission = new Admission({ maxInFlight, maxQueue });
  const { decoders = defaultDecoders(usableCores()), maxConnections } = config;
  const descriptors = checked(() => planDescriptors({ maxConnections, decoders }, log));
  const plan = planMemory({ ...config, decoders, maxConnections: descriptors.maxConnections }, log);
  opened.defer(() => plan.memory.close());
  opened.defer(collectAtRest());
  const ownAdmissions = new OwnAdmissions(maxQueue);
  const metrics = createMetrics(ownAdmissions.loadWith(admission), plan.memory);
  showDroppedLines(metrics, droppedLines);
  tracing?.onOutcome((outcome, spans) => metrics.traceSpans.inc({ outcome }, spans));
  const predictions = openPredictions({ config, log, metrics, writeLine });
  const line = openStages({
    config,
    log,
    predictions,
    explain,
    target,
    admission,
    ownAdmissions,
    plan,
    descriptors,
    metrics,
    opened,
  });
  line.setModels(folders);
  const lifecycle = createLifecycle();
  const { service, admin, grpc } = openDoors({
    config,
    log,
    line,
    plan,
    descriptors,
    metrics,
    lifecycle,
    opened,
    addFeedback: predictions?.addFeedback,
    startTrace: tracing?.start,
  });
  const parts = opened.move();
  return {
    service,
    admin,
    ...(grpc && { grpc }),
    lifecycle,
    reload: line.reload,
    watch: (signal) => line.watch.run(signal),
    ready: line.watch.states.ready,
    async close() {
      lifecycle.close();
      parts.dispose();
      await Promise.all([predictions?.close(), tracing?.close()]);
    },
  };
}
