/** Metrics of requests: their number, duration, and time per stage. */
import { Counter, Histogram, type Registry } from 'prom-client';

const LATENCY_BUCKETS_S = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];

/** Registers them. The caller updates them at the end of each request. */
export function requestMetrics(registry: Registry) {
  const registers = [registry];
  return {
    requests: new Counter({
      name: 'tensorgate_requests_total',
      help: 'Requests by route, HTTP status and error kind ("none": success).',
      labelNames: ['route', 'status', 'kind'] as const,
      registers,
    }),
    requestDuration: latency(registry, {
      name: 'tensorgate_request_duration_seconds',
      help: 'Time from the request headers to the end of the response.',
      labelNames: ['route'] as const,
    }),
    stageDuration: latency(registry, {
      name: 'tensorgate_stage_duration_seconds',
      help: 'Time of a request in one stage: fetch, queue (of requests that waited), decode (with resize and normalisation) or predict.',
      labelNames: ['stage'] as const,
    }),
  };
}

/**
 * A histogram of seconds with the traces of examples. Its constructor refuses them for a registry that has plain text too, and
 * by prom-client's types only labels of the metric could name a trace.
 */
function latency<Label extends string>(
  registry: Registry,
  about: { readonly name: string; readonly help: string; readonly labelNames: readonly Label[] },
): Histogram<Label | 'trace_id'> {
  const labelNames = [...about.labelNames];
  const histogram = new Histogram({
    ...about,
    labelNames,
    buckets: LATENCY_BUCKETS_S,
    enableExemplars: true,
    registers: [],
  });
  registry.registerMetric(histogram);
  return histogram as Histogram<Label | 'trace_id'>;
}
