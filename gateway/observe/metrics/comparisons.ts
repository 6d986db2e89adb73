/** Metrics of the copies of requests, and of what another version says of them. */
import { Counter, Histogram, type Registry } from 'prom-client';

/** Registers them. */
export function comparisonMetrics(registry: Registry) {
  const registers = [registry];
  const labelNames = ['model', 'version', 'against'] as const;
  return {
    comparisons: new Counter({
      name: 'tensorgate_comparisons_total',
      help: 'Instances that two versions predicted, by whether they gave the same best class: a shadow (version) and the version that answered (against), or a canary and the stable version.',
      labelNames: [...labelNames, 'result'] as const,
      registers,
    }),
    comparisonDistance: new Histogram({
      name: 'tensorgate_comparison_distance',
      help: 'Sum of the differences of the probabilities of all classes, from 0 to 2.',
      labelNames,
      buckets: [0.001, 0.01, 0.05, 0.1, 0.2, 0.5, 1, 1.5],
      registers,
    }),
    copiesDropped: new Counter({
      name: 'tensorgate_shadow_dropped_total',
      help: 'Copies of requests that were not compared: busy (requests came first), memory, queue_full or late (the version does not keep up), unsuited (it takes other tensors), unavailable (it cannot answer), refused (by its servers).',
      labelNames: ['model', 'reason'] as const,
      registers,
    }),
  };
}
