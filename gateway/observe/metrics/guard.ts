/** Metrics of the guard of canaries. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { ModelCard } from '../../model/card.ts';

/** Registers them. */
export function guardMetrics(registry: Registry) {
  return {
    withdrawals: new Counter({
      name: 'tensorgate_guard_withdrawals_total',
      help: 'Canaries that have lost their share, by the first bound that they were beyond: errors, latency or agreement.',
      labelNames: ['model', 'version', 'reason'] as const,
      registers: [registry],
    }),
  };
}

/** Registers the gauge of the bounds, for rules over all gateways. It is read at each scrape. */
export function registerBounds(registry: Registry, cards: () => ReadonlyMap<string, ModelCard>): void {
  new Gauge({
    name: 'tensorgate_guard_bound',
    help: 'The bounds of guard in model.yaml, as they are named there; percentages from 0 to 1. A bound that is not set is missing.',
    labelNames: ['model', 'bound'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const { name, guard } of cards().values()) {
        const bounds = guard && {
          min_requests: guard.minRequests,
          max_error_rate_increase: guard.maxErrorRateIncrease,
          max_latency_ratio: guard.maxLatencyRatio,
          min_top1_agreement: guard.minTop1Agreement,
        };
        for (const [bound, value] of Object.entries(bounds ?? {})) {
          if (value !== undefined) this.set({ model: name, bound }, value);
        }
      }
    },
  });
}
