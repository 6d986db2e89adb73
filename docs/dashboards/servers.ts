/** What the model servers do, as the gateways see it and as TF-Serving itself counts it. */
import type { Dashboard } from './dashboard.ts';

const HERE = 'namespace=~"$namespace"';
const perSecond = (series: string) => `rate(${series}[$__rate_interval])`;
const quantile = (share: number, by: string, buckets: string) =>
  `histogram_quantile(${share}, sum by (${by}) (${perSecond(buckets)}))`;

export const SERVERS: Dashboard = {
  name: 'model-servers',
  title: 'Model servers',
  description: 'What the model servers do, as the gateways see it and as TF-Serving itself counts it.',
  rows: [
    {
      title: 'As the gateways see them',
      panels: [
        {
          title: 'Calls per second, by method and gRPC code',
          description: 'After retries. UNAVAILABLE: no server. RESOURCE_EXHAUSTED: full. DEADLINE_EXCEEDED: slow.',
          unit: 'reqps',
          queries: {
            '{{method}} {{code}}': `sum by (method, code) (${perSecond(`tensorgate_backend_calls_total{${HERE}}`)})`,
          },
        },
        {
          title: 'Time of the stage predict: median, 95th and 99th percentile',
          description: 'From the first call to the last answer of a request, with retries.',
          unit: 's',
          queries: Object.fromEntries(
            [0.5, 0.95, 0.99].map((share) => [
              `p${Math.round(100 * share)}`,
              quantile(share, 'le', `tensorgate_stage_duration_seconds_bucket{${HERE}, stage="predict"}`),
            ]),
          ),
        },
        {
          title: 'Extra attempts per second, by reason',
          description: 'refused: a server was full. unavailable: not reachable. hedge: it answered late.',
          unit: 'reqps',
          queries: {
            '{{reason}}': `sum by (reason) (${perSecond(`tensorgate_backend_extra_attempts_total{${HERE}}`)})`,
          },
        },
      ],
    },
    {
      title: "TF-Serving's own metrics",
      panels: [
        {
          title: 'Requests per second, by model and status',
          description: 'Of all model servers together.',
          unit: 'reqps',
          queries: {
            '{{model_name}} {{status}}': `sum by (model_name, status) (${perSecond(`:tensorflow:serving:request_count{${HERE}}`)})`,
          },
        },
        {
          title: 'Requests per second, by server',
          description: 'Equal servers get equal shares. One with less is slow or was just started.',
          unit: 'reqps',
          queries: { '{{pod}}': `sum by (pod) (${perSecond(`:tensorflow:serving:request_count{${HERE}}`)})` },
        },
        {
          title: 'Time of a request: 99th percentile, by model',
          description: 'With waiting for a batch. The embedded server does not have it.',
          unit: 'µs',
          queries: {
            '{{model_name}}': quantile(0.99, 'le, model_name', `:tensorflow:serving:request_latency_bucket{${HERE}}`),
          },
        },
        {
          title: 'Time of the graph: 99th percentile, by model',
          description: 'Without waiting. Far below the time of a request: requests wait for a batch or for CPU.',
          unit: 'µs',
          queries: {
            '{{model_name}}': quantile(0.99, 'le, model_name', `:tensorflow:serving:runtime_latency_bucket{${HERE}}`),
          },
        },
        {
          title: 'Requests that share a run: mean',
          description: 'Where batching is on (serving/batching.config). At 1 batching only costs time.',
          unit: 'short',
          queries: {
            'requests per run': `sum(${perSecond(`:tensorflow:serving:request_count{${HERE}, status="OK"}`)})
  / sum(${perSecond(`:tensorflow:serving:batching_session:wrapped_run_count{${HERE}}`)})`,
          },
        },
        {
          title: 'Versions loaded and failed, by server',
          description: 'Attempts since the server was started. A version that failed is served by none.',
          as: 'table',
          unit: 'short',
          queries: {
            attempts: `sum by (pod, model_path, status) (:tensorflow:cc:saved_model:load_attempt_count{${HERE}})`,
          },
        },
      ],
    },
  ],
};
