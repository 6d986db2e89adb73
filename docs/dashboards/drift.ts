/** Do models still get and predict what their baselines have? docs/drift.md explains the measures. */
import type { Dashboard } from './dashboard.ts';

const VERSION = 'namespace=~"$namespace", model=~"$model", version=~"$version"';
const FEATURE = `${VERSION}, feature="$feature"`;
const threshold = (measure: string) => `tensorgate:drift_threshold{measure="${measure}"}`;
const ofVersion = (series: string, measure: string) =>
  `max by (model, version, feature) (${series}{${VERSION}, measure="${measure}"})`;

export const DRIFT: Dashboard = {
  name: 'drift',
  title: 'Skew and drift',
  description: 'Do models still get and predict what their baselines have? docs/drift.md explains the measures.',
  variables: [
    {
      name: 'model',
      label: 'Model',
      values: 'label_values(tensorgate_feature_values_total{namespace=~"$namespace"}, model)',
    },
    {
      name: 'version',
      label: 'Version',
      values: 'label_values(tensorgate_feature_values_total{namespace=~"$namespace", model=~"$model"}, version)',
    },
    {
      name: 'feature',
      label: 'Feature',
      values:
        'label_values(tensorgate_feature_values_total{namespace=~"$namespace", model=~"$model", version=~"$version"}, feature)',
      single: true,
    },
  ],
  rows: [
    {
      title: 'Skew: the last hour against the baseline',
      panels: [
        {
          title: 'Numbers: population stability index',
          description: 'Above the threshold TensorgateInputSkew or TensorgatePredictionSkew fires.',
          unit: 'none',
          queries: {
            '{{model}} {{version}}: {{feature}}': ofVersion('tensorgate:feature_skew', 'psi'),
            threshold: threshold('psi'),
          },
        },
        {
          title: 'Numbers: Jensen-Shannon divergence, in bits',
          description: 'From 0, the same, to 1, no value in common. It has no threshold by default.',
          unit: 'none',
          max: 1,
          queries: { '{{model}} {{version}}: {{feature}}': ofVersion('tensorgate:feature_skew', 'js') },
        },
        {
          title: 'Categories: largest difference of a share',
          description: 'Above the threshold TensorgateInputSkew or TensorgatePredictionSkew fires.',
          unit: 'percentunit',
          max: 1,
          queries: {
            '{{model}} {{version}}: {{feature}}': ofVersion('tensorgate:feature_skew', 'linf'),
            threshold: threshold('linf'),
          },
        },
      ],
    },
    {
      title: 'Drift: the last hour against the hour before',
      panels: [
        {
          title: 'Numbers: population stability index against the hour before',
          description: 'Alerts on drift are for features without a baseline.',
          unit: 'none',
          queries: {
            '{{model}} {{version}}: {{feature}}': ofVersion('tensorgate:feature_drift', 'psi'),
            threshold: threshold('psi'),
          },
        },
        {
          title: 'Numbers: Jensen-Shannon divergence from the hour before, in bits',
          description: 'From 0, the same, to 1, no value in common.',
          unit: 'none',
          max: 1,
          queries: { '{{model}} {{version}}: {{feature}}': ofVersion('tensorgate:feature_drift', 'js') },
        },
        {
          title: 'Categories: largest difference of a share from the hour before',
          description: 'Alerts on drift are for features without a baseline.',
          unit: 'percentunit',
          max: 1,
          queries: {
            '{{model}} {{version}}: {{feature}}': ofVersion('tensorgate:feature_drift', 'linf'),
            threshold: threshold('linf'),
          },
        },
      ],
    },
    {
      title: 'The chosen feature',
      panels: [
        {
          title: 'Share of each value within the last hour',
          description: 'Of numbers: buckets as the baseline cuts them.',
          unit: 'percentunit',
          max: 1,
          queries: {
            '{{model}} {{version}}: {{bucket}}': `max by (model, version, bucket) (tensorgate:feature_share:window{${FEATURE}})`,
          },
        },
        {
          title: 'Share of each value in the baseline',
          description: 'Flat: it belongs to the version. Empty: the version has no baseline for the feature.',
          unit: 'percentunit',
          max: 1,
          queries: {
            '{{model}} {{version}}: {{bucket}}': `max by (model, version, bucket) (tensorgate:feature_share:baseline{${FEATURE}})`,
          },
        },
        {
          title: 'Values within the last hour, by feature',
          description: 'With fewer than the minimum a feature is not compared.',
          unit: 'short',
          queries: {
            '{{model}} {{version}}: {{feature}}': `sum by (model, version, feature) (tensorgate:feature_values:window{${VERSION}})`,
            minimum: 'tensorgate:drift_minimum_values',
          },
        },
      ],
    },
  ],
};
