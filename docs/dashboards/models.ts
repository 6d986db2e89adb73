/** Which versions answer, whether they may, and what they answer: for pushes, labels and canaries. */
import type { Dashboard } from './dashboard.ts';

const MODEL = 'namespace=~"$namespace", model=~"$model"';
const CLASSES = `tensorgate_feature_values_total{${MODEL}, feature="class"}`;
const perSecond = (series: string) => `rate(${series}[$__rate_interval])`;
/** Each feature has a value of every prediction, or of fewer. */
const PREDICTIONS = `max by (model, version) (
  sum by (model, version, feature) (${perSecond(`tensorgate_feature_values_total{${MODEL}}`)})
)`;

export const MODELS: Dashboard = {
  name: 'models',
  title: 'Models and versions',
  description: 'Which versions answer, whether they may, and what they answer: for pushes, labels and canaries.',
  variables: [
    {
      name: 'model',
      label: 'Model',
      values: 'label_values(tensorgate_model_ready{namespace=~"$namespace"}, model)',
    },
  ],
  rows: [
    {
      title: 'State',
      panels: [
        {
          title: 'Models that are ready, on the share of the gateways',
          description: '1: on all. Below: a gateway has a reason, which GET /health/ready tells.',
          as: 'stat',
          unit: 'percentunit',
          max: 1,
          queries: { '{{model}}': `avg by (model) (tensorgate_model_ready{${MODEL}})` },
        },
        {
          title: 'Version in use for requests that name none, by gateway',
          description: 'A push moves all gateways within seconds. Lines that stay apart: a server has not loaded it.',
          unit: 'none',
          queries: { '{{model}} on {{pod}}': `max by (model, pod) (tensorgate_model_version{${MODEL}})` },
        },
        {
          title: 'Parity with training, by model',
          description:
            'proven: the same tensors and scores. unproven: the model has no parity images. differing: it is refused.',
          as: 'table',
          unit: 'none',
          queries: { parity: `max by (model, state) (tensorgate_model_parity{${MODEL}}) == 1` },
        },
      ],
    },
    {
      title: 'Shadow and guard',
      panels: [
        {
          title: 'Same best class, of the predictions that two versions made',
          description: 'A shadow beside the version that answered, or a canary beside the stable version.',
          unit: 'percentunit',
          max: 1,
          queries: {
            '{{model}} {{version}} against {{against}}': `sum by (model, version, against) (${perSecond(`tensorgate_comparisons_total{${MODEL}, result="same"}`)})
  / sum by (model, version, against) (${perSecond(`tensorgate_comparisons_total{${MODEL}}`)})`,
          },
        },
        {
          title: 'Distance of the probabilities, mean',
          description: 'L1: 0 for the same probabilities, 2 for versions that are certain of different classes.',
          unit: 'none',
          queries: {
            '{{model}} {{version}} against {{against}}': `sum by (model, version, against) (${perSecond(`tensorgate_comparison_distance_sum{${MODEL}}`)})
  / sum by (model, version, against) (${perSecond(`tensorgate_comparison_distance_count{${MODEL}}`)})`,
          },
        },
        {
          title: 'Copies per second that were not compared, by reason',
          description: 'docs/shadow-and-guard.md explains the reasons. No client notices it.',
          unit: 'ops',
          queries: {
            '{{model}}: {{reason}}': `sum by (model, reason) (${perSecond(`tensorgate_shadow_dropped_total{${MODEL}}`)})`,
          },
        },
        {
          title: 'Gateways that have withdrawn a canary, by reason',
          description: 'The log has the reason in words: "the canary has lost its share".',
          unit: 'none',
          queries: {
            '{{model}} {{version}}: {{reason}}': `count by (model, version, reason) (tensorgate_guard_withdrawals_total{${MODEL}} > 0)`,
          },
        },
      ],
    },
    {
      title: 'Versions and canary',
      panels: [
        {
          title: 'Predictions per second, by version',
          description: 'Pictures and records. The versions in use side by side: by default, by number and by label.',
          unit: 'ops',
          queries: { '{{model}} {{version}}': PREDICTIONS },
        },
        {
          title: 'Share of the predictions, by version',
          description: 'How far a canary has come.',
          unit: 'percentunit',
          max: 1,
          queries: {
            '{{model}} {{version}}': `${PREDICTIONS} / on (model) group_left () sum by (model) (${PREDICTIONS})`,
          },
        },
        {
          title: 'Share of the requests that a canary should get',
          description: 'By model.yaml. 0: it cannot answer, or was withdrawn; GET /health/ready tells why.',
          unit: 'percentunit',
          max: 1,
          queries: { '{{model}} {{version}}': `max by (model, version) (tensorgate_canary_share{${MODEL}})` },
        },
        {
          title: 'Failed requests, by version and role',
          description: 'Faults of the version and its servers. A canary should not have more than the stable version.',
          unit: 'percentunit',
          queries: {
            '{{model}} {{version}} {{role}}': `(sum by (model, version, role) (${perSecond(`tensorgate_version_requests_total{${MODEL}, outcome="error"}`)})
  or 0 * sum by (model, version, role) (${perSecond(`tensorgate_version_requests_total{${MODEL}}`)}))
  / sum by (model, version, role) (${perSecond(`tensorgate_version_requests_total{${MODEL}}`)})`,
          },
        },
        {
          title: 'Time of predict, p99, by version and role',
          description: 'With retries. A slow canary is slower here before users notice.',
          unit: 's',
          queries: {
            '{{model}} {{version}} {{role}}': `histogram_quantile(0.99, sum by (model, version, role, le) (${perSecond(`tensorgate_version_predict_seconds_bucket{${MODEL}}`)}))`,
          },
        },
        {
          title: 'Gateways that refuse the newest model.yaml',
          description: 'The last valid file is in use. GET /health/ready and the log tell the mistake.',
          unit: 'none',
          queries: { '{{model}}': `sum by (model) (tensorgate_model_file_refused{${MODEL}})` },
        },
        {
          title: 'Share of each class, by version',
          description: 'A canary that gets the same requests should name the same classes.',
          unit: 'percentunit',
          max: 1,
          queries: {
            '{{model}} {{version}}: {{bucket}}': `sum by (model, version, bucket) (${perSecond(CLASSES)})
  / on (model, version) group_left () sum by (model, version) (${perSecond(CLASSES)})`,
          },
        },
      ],
    },
    {
      title: 'Explanations',
      panels: [
        {
          title: 'Calls of models for explanations per second, by method',
          description: 'Each is an input that a model scores. They wait for predictions.',
          unit: 'ops',
          queries: {
            '{{method}}': `sum by (method) (${perSecond('tensorgate_explanation_calls_total{namespace=~"$namespace"}')})`,
          },
        },
        {
          title: 'Time of an explanation (95 %), by method',
          description: 'Without the prediction. It grows under load: explanations wait for predictions.',
          unit: 's',
          queries: {
            '{{method}}': `histogram_quantile(0.95, sum by (le, method) (${perSecond('tensorgate_explanation_duration_seconds_bucket{namespace=~"$namespace"}')}))`,
          },
        },
      ],
    },
  ],
};
