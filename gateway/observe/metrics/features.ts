/** Metrics of what models get and predict. Their values are read at each scrape. */
import { Counter, Gauge, type Registry } from 'prom-client';

const LABELS = ['model', 'version', 'feature', 'kind', 'bucket'] as const;

/** `share`: in the baseline. Undefined without one. */
export type ShowBucket = (
  labels: Record<(typeof LABELS)[number], string>,
  bucket: { readonly count: number; readonly share: number | undefined },
) => void;

export type Features = {
  /** Called before each scrape. */
  refresh(): Promise<void>;
  /** Shows all buckets of all features. */
  show(show: ShowBucket): void;
};

/** Registers them. */
export function registerFeatures(registry: Registry, features: Features): void {
  new Counter({
    name: 'tensorgate_feature_values_total',
    help: 'Values of the inputs and outputs of a model version by feature and bucket, as its baseline cuts them.',
    labelNames: LABELS,
    registers: [registry],
    async collect() {
      await features.refresh();
      this.reset();
      features.show((labels, { count }) => this.inc(labels, count));
    },
  });
  new Gauge({
    name: 'tensorgate_feature_baseline_ratio',
    help: 'Share of the values of a feature that are in a bucket, in the baseline of the model version.',
    labelNames: LABELS,
    registers: [registry],
    async collect() {
      await features.refresh();
      this.reset();
      features.show((labels, { share }) => share !== undefined && this.set(labels, share));
    },
  });
}
