/** Metrics of explanations. */
import { Counter, Histogram, type Registry } from 'prom-client';

/** Registers them. */
export function explanationMetrics(registry: Registry) {
  return {
    explanationSeconds: new Histogram({
      name: 'tensorgate_explanation_duration_seconds',
      help: 'Time of an explanation of one instance, without its prediction.',
      labelNames: ['method'] as const,
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60],
      registers: [registry],
    }),
    explanationCalls: new Counter({
      name: 'tensorgate_explanation_calls_total',
      help: 'Inputs that models have scored for explanations.',
      labelNames: ['method'] as const,
      registers: [registry],
    }),
  };
}
