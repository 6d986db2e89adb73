/** Metrics of the prediction log. */
import { Counter, type Registry } from 'prom-client';

/** Registers them. */
export function predictionMetrics(registry: Registry) {
  return {
    predictionLines: new Counter({
      name: 'tensorgate_prediction_log_lines_total',
      help: 'Lines of the prediction log: written, dropped because the buffer was full, or lost because they could not be written.',
      labelNames: ['outcome'] as const,
      registers: [registry],
    }),
    labels: new Counter({
      name: 'tensorgate_feedback_labels_total',
      help: 'Labels of POST /feedback: right or wrong by the prediction of their id, or unknown where this process has no prediction of the id in memory.',
      labelNames: ['model', 'version', 'outcome'] as const,
      registers: [registry],
    }),
  };
}
