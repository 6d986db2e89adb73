/** Metrics of the versions of models: what each of them answers, and the shares of canaries. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ModelState } from '../../model/state.ts';

/** Registers them. */
export function versionMetrics(registry: Registry) {
  const registers = [registry];
  return {
    versionRequests: new Counter({
      name: 'tensorgate_version_requests_total',
      help: 'Requests by the version that was asked, why it was asked (role), and outcome: error is a fault of the version or its servers, never of the client, nor overload.',
      labelNames: ['model', 'version', 'role', 'outcome'] as const,
      registers,
    }),
    versionPredictSeconds: new Histogram({
      name: 'tensorgate_version_predict_seconds',
      help: 'Time of a request in the stage predict, with retries, by the version that was asked and why (role).',
      labelNames: ['model', 'version', 'role'] as const,
      buckets: [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
      registers,
    }),
  };
}

/** Registers the gauge of the shares. It is read at each scrape, so a canary that is gone has none. */
export function registerCanaries(registry: Registry, states: () => ReadonlyMap<string, ModelState>): void {
  new Gauge({
    name: 'tensorgate_canary_share',
    help: 'Share of the requests that name no version that the canary gets. 0 while it cannot answer, or was withdrawn.',
    labelNames: ['model', 'version'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const [model, { canary }] of states()) {
        if (canary)
          this.set({ model, version: String(canary.version) }, canary.problem === undefined ? canary.share : 0);
      }
    },
  });
}
