/** Metrics of the models: readiness, version and parity. */
import { Gauge, type Registry } from 'prom-client';

/** Registers them. */
export function modelMetrics(registry: Registry) {
  const registers = [registry];
  return {
    modelReady: new Gauge({
      name: 'tensorgate_model_ready',
      help: '1 if the model is available, matches its model.yaml and its parity is not "differing".',
      labelNames: ['model'] as const,
      registers,
    }),
    modelVersion: new Gauge({
      name: 'tensorgate_model_version',
      help: 'The version used for requests that name none.',
      labelNames: ['model'] as const,
      registers,
    }),
    modelFileRefused: new Gauge({
      name: 'tensorgate_model_file_refused',
      help: '1 while the newest model.yaml is refused, and the last valid one is in use.',
      labelNames: ['model'] as const,
      registers,
    }),
    parity: new Gauge({
      name: 'tensorgate_model_parity',
      help: '1 for the parity state of the version in use, and for differing while a version is refused for it.',
      labelNames: ['model', 'state'] as const,
      registers,
    }),
  };
}
