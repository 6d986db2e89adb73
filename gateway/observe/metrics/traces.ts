/** Metrics of the export of traces. */
import { Counter, type Registry } from 'prom-client';

/** Registers them. */
export function traceMetrics(registry: Registry) {
  return {
    traceSpans: new Counter({
      name: 'tensorgate_trace_spans_total',
      help: 'Spans of recorded traces: exported, dropped because the queue was full, or lost because the collector did not take them.',
      labelNames: ['outcome'] as const,
      registers: [registry],
    }),
  };
}
