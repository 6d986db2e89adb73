/** Metrics of admission and memory. Their values are read at each scrape. */
import { Gauge, type Registry } from 'prom-client';

export type Load = { readonly inFlight: number; readonly queued: number; readonly limit: number };
export type MemoryUse = { readonly share: number };

/** Registers the gauges of admission. */
export function registerLoad(registry: Registry, load: Load): void {
  registerGauge(registry, 'tensorgate_requests_in_flight', 'Requests in progress.', () => load.inFlight);
  registerGauge(registry, 'tensorgate_requests_queued', 'Requests in the queue.', () => load.queued);
  registerGauge(
    registry,
    'tensorgate_concurrency_limit',
    'Current limit of images processed at once, adapted to the measured latency. At most MAX_IN_FLIGHT.',
    () => load.limit,
  );
}

/** Registers the gauge of the memory in use. */
export function registerMemory(registry: Registry, memory: MemoryUse): void {
  const help = "Memory in use as a share of its limit: the container's or the heap's, whichever is higher.";
  registerGauge(registry, 'tensorgate_memory_used_ratio', help, () => memory.share);
}

function registerGauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}
