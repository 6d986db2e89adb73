/** The text of docs/metrics.md: every metric, as the code registers it. */
import { createMetrics, showBounds, showCanaries, showDroppedLines, showFeatures } from '../gateway/observe/metrics.ts';
import { table } from './table.ts';

/** What a metric has besides prom-client's published type. */
type Described = {
  readonly name: string;
  readonly type: unknown;
  readonly help: string;
  readonly labelNames?: readonly string[];
  /** Of a histogram. */
  readonly upperBounds?: readonly number[];
};

/** Base units as suffixes of names: https://prometheus.io/docs/practices/naming/. */
const UNITS = ['seconds', 'bytes', 'ratio'];

export function metricsPage(): string {
  const all = describedMetrics();
  const own = all.filter(({ name }) => name.startsWith('tensorgate_'));
  const others = all.filter((metric) => !own.includes(metric));
  const withBuckets = Map.groupBy(
    all.filter(({ upperBounds }) => upperBounds),
    ({ upperBounds = [] }) => upperBounds.join(', '),
  );
  return `# Metrics

\`GET /metrics\` on \`ADMIN_PORT\` answers in OpenMetrics 1.0 where the header \`Accept\` names \`application/openmetrics-text\`, as that of
Prometheus does, and otherwise in Prometheus' text format. OpenMetrics has exemplars: each bucket of the histograms of the gateway names a
request of a recorded [trace](traces.md) by its \`trace_id\`. Prometheus keeps them with \`--enable-feature=exemplar-storage\`.

Every label has a fixed set of values: no request can add series.

## Of the gateway

${metricsTable(own)}

## Of Node and the process

On Linux, by prom-client:

${metricsTable(others)}

## Buckets

A histogram \`NAME\` has the series \`NAME_bucket\`, \`NAME_sum\` and \`NAME_count\`. The upper bounds of its buckets, in its unit:

${table(
  ['metrics', 'buckets'],
  [...withBuckets].map(([bounds, metrics]) => [metrics.map(({ name }) => `\`${name}\``).join(', '), bounds]),
)}
`;
}

/** All metrics of a gateway. Their values are not read. */
function describedMetrics(): readonly Described[] {
  const metrics = createMetrics({ inFlight: 0, queued: 0, limit: 0 }, { share: 0 });
  showDroppedLines(metrics, () => 0);
  showCanaries(metrics, () => new Map());
  showBounds(metrics, () => new Map());
  showFeatures(metrics, { refresh: async () => undefined, show: () => undefined });
  return metrics.registry.getMetricsAsArray() as readonly object[] as readonly Described[];
}

function metricsTable(metrics: readonly Described[]): string {
  const rows = metrics.map(({ name, type, labelNames = [], help }) => [
    `\`${name}\``,
    String(type),
    labelNames.map((label) => `\`${label}\``).join(', '),
    unitOf(name),
    help,
  ]);
  return table(['metric', 'type', 'labels', 'unit', 'what it is'], rows);
}

function unitOf(name: string): string {
  return UNITS.find((unit) => name.replace(/_total$/, '').endsWith(`_${unit}`)) ?? '';
}
