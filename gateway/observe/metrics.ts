/** The Prometheus metrics, one file per subject in `metrics/`. Every label has a fixed set of values. */
import { Counter, collectDefaultMetrics, Registry } from 'prom-client';
import type { MethodName } from '../domain/explanation.ts';
import type { ModelCard } from '../model/card.ts';
import type { ModelState } from '../model/state.ts';
import type { PicturesAnswer } from '../pipeline/pictures.ts';
import type { VersionOutcome } from '../pipeline/version-outcome.ts';
import type { Comparison } from '../traffic/copies.ts';
import { backendMetrics } from './metrics/backend.ts';
import { comparisonMetrics } from './metrics/comparisons.ts';
import { explanationMetrics } from './metrics/explanations.ts';
import { type Features, registerFeatures } from './metrics/features.ts';
import { guardMetrics, registerBounds } from './metrics/guard.ts';
import { imageMetrics } from './metrics/images.ts';
import { type Load, type MemoryUse, registerLoad, registerMemory } from './metrics/load.ts';
import { modelMetrics } from './metrics/models.ts';
import { predictionMetrics } from './metrics/predictions.ts';
import { requestMetrics } from './metrics/requests.ts';
import { traceMetrics } from './metrics/traces.ts';
import { registerCanaries, versionMetrics } from './metrics/versions.ts';

/** The default of 10 ms wakes an idle process 100 times a second, which costs more CPU than all else it does then. */
const EVENT_LOOP_PRECISION_MS = 50;

/**
 * prom-client's gauges with the suffix of a counter, which promtool refuses. The sums of nodejs_active_handles,
 * nodejs_active_requests and nodejs_active_resources have the same values.
 */
const MISNAMED: readonly string[] = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

export type Metrics = ReturnType<typeof createMetrics>;

/** Creates the registry and all metrics, with Node's own (event loop, heap, GC, handles). */
export function createMetrics(load: Load, memory: MemoryUse) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  registerLoad(registry, load);
  registerMemory(registry, memory);
  return {
    registry,
    ...requestMetrics(registry),
    ...imageMetrics(registry),
    ...backendMetrics(registry),
    ...modelMetrics(registry),
    ...predictionMetrics(registry),
    ...explanationMetrics(registry),
    ...traceMetrics(registry),
    ...versionMetrics(registry),
    ...comparisonMetrics(registry),
    ...guardMetrics(registry),
  };
}

/** Registers the counter of dropped log lines. It is read at each scrape. */
export function showDroppedLines({ registry }: Metrics, droppedLines: () => number): void {
  new Counter({
    name: 'tensorgate_log_lines_dropped_total',
    help: 'Log lines dropped because stdout was not read for too long, or its disk is full.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(droppedLines());
    },
  });
}

/** Registers the metrics of what models get and predict. They are read at each scrape. */
export function showFeatures({ registry }: Metrics, features: Features): void {
  registerFeatures(registry, features);
}

/** Registers the gauge of the canaries' shares. It is read at each scrape. */
export function showCanaries({ registry }: Metrics, states: () => ReadonlyMap<string, ModelState>): void {
  registerCanaries(registry, states);
}

/** Registers the gauge of the guards' bounds. It is read at each scrape. */
export function showBounds({ registry }: Metrics, cards: () => ReadonlyMap<string, ModelCard>): void {
  registerBounds(registry, cards);
}

/** Counts a request that a version has answered or failed. */
export function countOutcome(metrics: Metrics, { routed, outcome, predictMs }: VersionOutcome): void {
  const labels = { model: routed.card.name, version: String(routed.version), role: routed.role };
  metrics.versionRequests.inc({ ...labels, outcome });
  if (predictMs !== undefined) metrics.versionPredictSeconds.observe(labels, predictMs / 1000);
}

/** Counts the instances of a request that two versions have predicted. */
export function countComparison(metrics: Metrics, { model, version, against, rows }: Comparison): void {
  const labels = { model, version: String(version), against: String(against) };
  for (const { isSame, distance } of rows) {
    metrics.comparisons.inc({ ...labels, result: isSame ? 'same' : 'different' });
    if (distance !== undefined) metrics.comparisonDistance.observe(labels, distance);
  }
}

const PARITY_STATES = ['proven', 'unproven', 'differing'] as const;

/** Sets a model's gauges: readiness, version, whether its file is refused, and which of the three parity states it has. Undefined removes them. */
export function showModel(metrics: Metrics, model: string, state: ModelState | undefined): void {
  if (!state) {
    metrics.modelReady.remove({ model });
    metrics.modelVersion.remove({ model });
    metrics.modelFileRefused.remove({ model });
    for (const name of PARITY_STATES) metrics.parity.remove({ model, state: name });
    return;
  }
  metrics.modelReady.set({ model }, state.problem ? 0 : 1);
  metrics.modelFileRefused.set({ model }, state.mistake === undefined ? 0 : 1);
  if (state.version !== undefined) metrics.modelVersion.set({ model }, state.version);
  const parities = new Set([state, ...(state.refused ?? [])].map(({ parity }) => parity?.state));
  for (const name of PARITY_STATES) metrics.parity.set({ model, state: name }, parities.has(name) ? 1 : 0);
}

/** The outcomes of a request's images, and their bytes. */
export type Pictured = Pick<PicturesAnswer, 'imageBytes' | 'tensorBytes'> & {
  readonly outcomes: readonly (object | Extract<PicturesAnswer['outcomes'][number], { error: unknown }>)[];
};

/** Counts the outcomes of a request's images, and their bytes. */
export function countPictures(metrics: Metrics, { outcomes, imageBytes, tensorBytes }: Pictured): void {
  for (const outcome of outcomes) metrics.instances.inc({ kind: 'error' in outcome ? outcome.error.kind : 'none' });
  metrics.bytes.inc({ of: 'image' }, imageBytes);
  metrics.bytes.inc({ of: 'tensor' }, tensorBytes);
}

/** Counts an explanation, and what it cost. */
export function countExplanation(
  metrics: Metrics,
  { method, calls, ms }: { readonly method: MethodName; readonly calls: number; readonly ms: number },
): void {
  metrics.explanationCalls.inc({ method }, calls);
  metrics.explanationSeconds.observe({ method }, ms / 1000);
}
