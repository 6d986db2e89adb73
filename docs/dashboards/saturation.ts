/** How full are the gateways? Admission, memory, event loop, CPU and decoders. */
import type { Dashboard } from './dashboard.ts';

const POD = 'namespace=~"$namespace", pod=~"$pod"';
/** Other programs have these metrics too. */
const GATEWAY = `${POD}, job=~".*gateway"`;
const perSecond = (series: string) => `rate(${series}[$__rate_interval])`;

export const SATURATION: Dashboard = {
  name: 'saturation',
  title: 'Saturation',
  description: 'How full are the gateways? Admission, memory, event loop, CPU and decoders.',
  variables: [
    {
      name: 'pod',
      label: 'Gateway',
      values: 'label_values(tensorgate_requests_in_flight{namespace=~"$namespace"}, pod)',
    },
  ],
  rows: [
    {
      title: 'Admission and queue',
      panels: [
        {
          title: 'Requests in progress and in the queue, by gateway',
          description: 'A queue that does not get empty: more comes than can be predicted.',
          unit: 'short',
          queries: {
            '{{pod}}, in progress': `sum by (pod) (tensorgate_requests_in_flight{${POD}})`,
            '{{pod}}, queued': `sum by (pod) (tensorgate_requests_queued{${POD}})`,
          },
        },
        {
          title: 'Images that may be processed at once, by gateway',
          description:
            'Adapts to the measured latency, at most MAX_IN_FLIGHT. A low limit: a gateway or the model servers are full.',
          unit: 'short',
          queries: { '{{pod}}': `sum by (pod) (tensorgate_concurrency_limit{${POD}})` },
        },
        {
          title: 'Requests refused per second, by gateway and status',
          description: '429: the queue is full or too slow. 503: memory is short.',
          unit: 'reqps',
          queries: {
            '{{pod}} {{status}}': `sum by (pod, status) (${perSecond(`tensorgate_requests_total{${POD}, kind="overloaded"}`)})`,
          },
        },
      ],
    },
    {
      title: 'Memory',
      panels: [
        {
          title: 'Memory in use as a share of its limit, by gateway',
          description:
            "The container's limit or the heap's, whichever is fuller. Near 1 requests are refused with 503.",
          unit: 'percentunit',
          max: 1,
          queries: { '{{pod}}': `max by (pod) (tensorgate_memory_used_ratio{${POD}})` },
        },
        {
          title: 'Resident memory, by gateway',
          description: 'All memory of the process. The kernel kills it at the limit of the container.',
          unit: 'bytes',
          queries: { '{{pod}}': `sum by (pod) (process_resident_memory_bytes{${GATEWAY}})` },
        },
        {
          title: 'Memory of the heap and outside of it, by gateway',
          description: 'Images and tensors are outside of the heap. A heap that grows for hours is a leak.',
          unit: 'bytes',
          queries: {
            '{{pod}}, heap': `sum by (pod) (nodejs_heap_size_used_bytes{${GATEWAY}})`,
            '{{pod}}, outside': `sum by (pod) (nodejs_external_memory_bytes{${GATEWAY}})`,
          },
        },
      ],
    },
    {
      title: 'Event loop and CPU',
      panels: [
        {
          title: 'How late the event loop is: 99th percentile, by gateway',
          description: '0.05 s is the resolution of the measurement. Above it all requests of the gateway wait.',
          unit: 's',
          queries: { '{{pod}}': `max by (pod) (nodejs_eventloop_lag_p99_seconds{${GATEWAY}})` },
        },
        {
          title: 'CPU cores in use, by gateway',
          description: 'At the number of cores that the pod may use, it is full.',
          unit: 'short',
          queries: { '{{pod}}': `sum by (pod) (${perSecond(`process_cpu_seconds_total{${GATEWAY}}`)})` },
        },
        {
          title: 'Share of the time that garbage collection takes, by gateway',
          description: 'Above a tenth: the heap is too small for what it holds.',
          unit: 'percentunit',
          queries: { '{{pod}}': `sum by (pod) (${perSecond(`nodejs_gc_duration_seconds_sum{${GATEWAY}}`)})` },
        },
      ],
    },
    {
      title: 'Decoders, files and log',
      panels: [
        {
          title: 'Images decoded per second, by decoder',
          description: 'jpeg: by the gateway itself. sharp: in a process, which costs more.',
          unit: 'ops',
          queries: { '{{decoder}}': `sum by (decoder) (${perSecond(`tensorgate_decoded_total{${POD}}`)})` },
        },
        {
          title: 'Decoders lost in the time shown, by reason',
          description:
            'Crashed, or killed at DECODE_TIMEOUT. Each fails one request. Keep such an image and report it.',
          as: 'stat',
          unit: 'short',
          queries: {
            '{{why}}': `sum by (why) (increase(tensorgate_decoder_losses_total{${POD}}[$__range]))`,
          },
        },
        {
          title: 'Open files and connections as a share of their limit, by gateway',
          description: 'Above 0.8: connections stay open, or the limit is too low.',
          unit: 'percentunit',
          max: 1,
          queries: {
            '{{pod}}': `max by (pod) (process_open_fds{${GATEWAY}} / process_max_fds{${GATEWAY}})`,
          },
        },
        {
          title: 'Log lines dropped per second, by gateway',
          description: 'stdout is not read for too long, or its disk is full.',
          unit: 'ops',
          queries: { '{{pod}}': `sum by (pod) (${perSecond(`tensorgate_log_lines_dropped_total{${POD}}`)})` },
        },
        {
          title: 'Lines of the prediction log per second, by outcome',
          description: 'dropped: the buffer was full. lost: they could not be written. Both cost no request.',
          unit: 'ops',
          queries: {
            '{{outcome}}': `sum by (outcome) (${perSecond(`tensorgate_prediction_log_lines_total{${POD}}`)})`,
          },
        },
      ],
    },
  ],
};
