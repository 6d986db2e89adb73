/** Is the service as promised? Objectives, traffic, errors and latency. */
import type { Dashboard } from './dashboard.ts';

const HERE = 'namespace=~"$namespace"';
const REQUESTS = `tensorgate_requests_total{${HERE}}`;
/** The same routes as in kubernetes/components/monitoring/slo.yaml. */
const PREDICTIONS =
  'route=~"/predict|/invocations|/v1/models/.+:.+|/v2/models/.+/infer|.+/(Predict|Classify|Regress|ModelInfer)"';
const quantile = (share: number, by: string, buckets: string) =>
  `histogram_quantile(${share}, sum by (${by}) (rate(${buckets}[$__rate_interval])))`;
const ofPredictions = (share: number) =>
  quantile(share, 'le', `tensorgate_request_duration_seconds_bucket{${HERE}, ${PREDICTIONS}}`);

export const OVERVIEW: Dashboard = {
  name: 'overview',
  title: 'Overview',
  description: 'Is the service as promised? Objectives, traffic, errors and latency.',
  rows: [
    {
      title: 'Objectives',
      panels: [
        {
          title: 'Error budget left, of the time shown',
          description: 'By objective. Below 0 the objective was not met in this time.',
          as: 'stat',
          unit: 'percentunit',
          max: 1,
          queries: {
            '{{slo}}': `1 - sum by (slo) (increase(tensorgate:slo:bad_requests_total{${HERE}}[$__range]))
  / sum by (slo) (increase(tensorgate:slo:requests_total{${HERE}}[$__range]))
  / on (slo) (1 - tensorgate:slo:objective)`,
          },
        },
        {
          title: 'Burn rate of the error budget',
          description: 'At 1 the budget lasts 30 days. An alert is critical when both windows are above 14.4.',
          unit: 'none',
          queries: {
            '{{slo}}, 1 hour': `max by (slo) (tensorgate:slo:burn_rate1h{${HERE}})`,
            '{{slo}}, 5 minutes': `max by (slo) (tensorgate:slo:burn_rate5m{${HERE}})`,
          },
        },
        {
          title: 'Alerts that fire',
          description: 'docs/runbooks has a page for each.',
          as: 'table',
          unit: 'none',
          queries: {
            alerts: `sum by (alertname, severity, namespace, model, pod, slo) (
  ALERTS{alertstate="firing", alertname=~"Tensorgate.+", namespace=~"$namespace|"}
)`,
          },
        },
      ],
    },
    {
      title: 'Traffic',
      panels: [
        {
          title: 'Requests per second, by route',
          description: 'All requests but those of the admin port.',
          unit: 'reqps',
          queries: { '{{route}}': `sum by (route) (rate(${REQUESTS}[$__rate_interval]))` },
        },
        {
          title: 'Images per second, by outcome',
          description: '"none" is scored. The others have an error of this kind.',
          unit: 'ops',
          queries: {
            '{{kind}}': `sum by (kind) (rate(tensorgate_instances_total{${HERE}}[$__rate_interval]))`,
          },
        },
        {
          title: 'Bytes per second: encoded images read, tensors sent',
          description: 'Tensors are much larger than the images that they are made of.',
          unit: 'Bps',
          queries: { '{{of}}': `sum by (of) (rate(tensorgate_bytes_total{${HERE}}[$__rate_interval]))` },
        },
      ],
    },
    {
      title: 'Errors',
      panels: [
        {
          title: 'Share of the requests that fail, by kind',
          description:
            'docs/errors.md has the kinds. Some are faults of the service, others of a client or of a source of images.',
          unit: 'percentunit',
          queries: {
            '{{kind}}': `sum by (kind) (rate(tensorgate_requests_total{${HERE}, kind!="none"}[$__rate_interval]))
  / scalar(sum(rate(${REQUESTS}[$__rate_interval])))`,
          },
        },
        {
          title: 'Failed requests per second, by route and status',
          description: 'With the HTTP status that clients see. 499: the client closed the connection.',
          unit: 'reqps',
          queries: {
            '{{route}} {{status}}': `sum by (route, status) (rate(tensorgate_requests_total{${HERE}, kind!="none"}[$__rate_interval]))`,
          },
        },
        {
          title: 'Share of the requests that are the own fault of the service, by gateway',
          description: 'One gateway that differs has a problem of its own.',
          unit: 'percentunit',
          queries: {
            '{{pod}}': `sum by (pod) (rate(tensorgate:slo:bad_requests_total{${HERE}, slo="availability"}[$__rate_interval]))
  / sum by (pod) (rate(tensorgate:slo:requests_total{${HERE}, slo="availability"}[$__rate_interval]))`,
          },
        },
      ],
    },
    {
      title: 'Latency',
      panels: [
        {
          title: 'Time of a prediction: median, 95th and 99th percentile',
          description: 'From the request headers to the end of the response. The points are traces.',
          unit: 's',
          queries: { p50: ofPredictions(0.5), p95: ofPredictions(0.95), p99: ofPredictions(0.99) },
        },
        {
          title: 'Time in each stage: 99th percentile',
          description:
            'fetch: the sources of images. queue: too much at once. decode: the CPU of the gateways. predict: the model servers.',
          unit: 's',
          queries: {
            '{{stage}}': quantile(0.99, 'le, stage', `tensorgate_stage_duration_seconds_bucket{${HERE}}`),
          },
        },
        {
          title: 'Time in each stage: mean',
          description: 'What most requests spend their time with.',
          unit: 's',
          queries: {
            '{{stage}}': `sum by (stage) (rate(tensorgate_stage_duration_seconds_sum{${HERE}}[$__rate_interval]))
  / sum by (stage) (rate(tensorgate_stage_duration_seconds_count{${HERE}}[$__rate_interval]))`,
          },
        },
      ],
    },
  ],
};
