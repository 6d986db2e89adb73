/** The metrics: names, labels and buckets in one place. Every label has a closed set of values. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ModelState } from '../model/watch.ts';
import type { Classification } from '../pipeline/classify.ts';

const LATENCY_BUCKETS_S = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];

export type Metrics = ReturnType<typeof createMetrics>;

/** What is read at the moment of a scrape. */
export type Load = { readonly inFlight: number; readonly queued: number; readonly limit: number };

/** Makes the registry and its instruments; Node's own (event loop, heap, GC, handles) come with it. */
export function createMetrics(load: Load, memory: { readonly share: number }) {
  const registry = new Registry();
  const registers = [registry];
  // Its 10 ms would wake an idle process a hundred times a second, at more CPU than everything else it does then.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 });
  return {
    registry,
    requests: new Counter({
      name: 'tensorgate_requests_total',
      help: 'Requests by route, HTTP status and kind of failure (kind "none": answered well).',
      labelNames: ['route', 'status', 'kind'] as const,
      registers,
    }),
    requestDuration: new Histogram({
      name: 'tensorgate_request_duration_seconds',
      help: 'From the arrival of the headers to the end of the answer.',
      labelNames: ['route'] as const,
      buckets: LATENCY_BUCKETS_S,
      registers,
    }),
    stageDuration: new Histogram({
      name: 'tensorgate_stage_duration_seconds',
      help: 'Time in one stage of the line: fetch, decode (with resize and normalisation), predict.',
      labelNames: ['stage'] as const,
      buckets: LATENCY_BUCKETS_S,
      registers,
    }),
    instances: new Counter({
      name: 'tensorgate_instances_total',
      help: 'Images by outcome (kind "none": scored).',
      labelNames: ['kind'] as const,
      registers,
    }),
    bytes: new Counter({
      name: 'tensorgate_bytes_total',
      help: 'Bytes by what they were: encoded images read, tensors sent.',
      labelNames: ['of'] as const,
      registers,
    }),
    decoderLosses: new Counter({
      name: 'tensorgate_decoder_losses_total',
      help: 'Images that cost their decoder process: it crashed, or was killed for its time.',
      labelNames: ['why'] as const,
      registers,
    }),
    inFlight: new Gauge({
      name: 'tensorgate_requests_in_flight',
      help: 'Requests being worked on.',
      registers,
      collect() {
        this.set(load.inFlight);
      },
    }),
    queued: new Gauge({
      name: 'tensorgate_requests_queued',
      help: 'Requests waiting for a place.',
      registers,
      collect() {
        this.set(load.queued);
      },
    }),
    limit: new Gauge({
      name: 'tensorgate_concurrency_limit',
      help: 'Images worked on at once at most, as the latencies have it; MAX_IN_FLIGHT is its bound.',
      registers,
      collect() {
        this.set(load.limit);
      },
    }),
    memory: new Gauge({
      name: 'tensorgate_memory_used_ratio',
      help: "Memory in use as a share of the container's or the heap's limit, the fuller one.",
      registers,
      collect() {
        this.set(memory.share);
      },
    }),
    backendCalls: new Counter({
      name: 'tensorgate_backend_calls_total',
      help: 'RPCs to the model server by method and gRPC status code.',
      labelNames: ['method', 'code'] as const,
      registers,
    }),
    backendExtraAttempts: new Counter({
      name: 'tensorgate_backend_extra_attempts_total',
      help: 'Calls sent once more, by reason: refused (a full server), unavailable (one that could not be reached) or hedge (a late answer).',
      labelNames: ['reason'] as const,
      registers,
    }),
    modelReady: new Gauge({
      name: 'tensorgate_model_ready',
      help: '1 where the model is available, fits its model.yaml and its parity is not differing.',
      labelNames: ['model'] as const,
      registers,
    }),
    modelVersion: new Gauge({
      name: 'tensorgate_model_version',
      help: 'The version that answers when none is asked for.',
      labelNames: ['model'] as const,
      registers,
    }),
    parity: new Gauge({
      name: 'tensorgate_model_parity',
      help: '1 for the state that the parity of the latest version is in.',
      labelNames: ['model', 'state'] as const,
      registers,
    }),
  };
}

/** Shows how many lines of the log were dropped, as it stands at each scrape. */
export function showDroppedLines({ registry }: Metrics, droppedLines: () => number): void {
  new Counter({
    name: 'tensorgate_log_lines_dropped_total',
    help: 'Lines of the log dropped because nobody read them for too long, or their disk is full.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(droppedLines());
    },
  });
}

/** Shows a model's state: whether it is ready, its version, and which of the three the parity is in. */
export function showModel(metrics: Metrics, model: string, state: ModelState): void {
  metrics.modelReady.set({ model }, state.problem ? 0 : 1);
  if (state.version !== undefined) metrics.modelVersion.set({ model }, state.version);
  for (const name of ['proven', 'unproven', 'differing'] as const) {
    metrics.parity.set({ model, state: name }, state.parity?.state === name ? 1 : 0);
  }
}

/** Counts what became of a request's instances, and the bytes that came and went. */
export function countClassification(metrics: Metrics, { outcomes, imageBytes, tensorBytes }: Classification): void {
  for (const outcome of outcomes) metrics.instances.inc({ kind: 'error' in outcome ? outcome.error.kind : 'none' });
  metrics.bytes.inc({ of: 'image' }, imageBytes);
  metrics.bytes.inc({ of: 'tensor' }, tensorBytes);
}
