/** The text of the metrics, in the two forms that Prometheus reads. */
import { type Metric, type OpenMetricsContentType, Registry } from 'prom-client';

export type Exposition = { readonly contentType: string; readonly text: string };

/**
 * All metrics as text: in OpenMetrics 1.0, which has exemplars, where the header Accept names it, as that of Prometheus does, and
 * otherwise in Prometheus' own format 0.0.4.
 */
export async function expositionOf(registry: Registry, accept: string | undefined): Promise<Exposition> {
  if (!asksForOpenMetrics(accept)) return { contentType: registry.contentType, text: await registry.metrics() };
  const open = new Registry<OpenMetricsContentType>();
  open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const metric of registry.getMetricsAsArray()) open.registerMetric(renamable(metric as unknown as Metric));
  return { contentType: open.contentType, text: await open.metrics() };
}

/** The same metric. OpenMetrics names counters without `_total`, so `metrics()` renames what is in the registry, for good. */
function renamable(metric: Metric): Metric {
  return Object.create(metric);
}

/** RFC 9110, 12.5.1. A weight of 0 means "not acceptable". */
function asksForOpenMetrics(accept = ''): boolean {
  const range = accept.split(',').find((part) => /^\s*application\/openmetrics-text\s*(;|$)/i.test(part));
  return range !== undefined && !/;\s*q=0(\.0*)?\s*(;|$)/i.test(range);
}
