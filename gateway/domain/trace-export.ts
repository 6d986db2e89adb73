/** How traces are sampled and exported: what OpenTelemetry's variables say. */

export const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
export const TRACE_PROTOCOLS = ['http/protobuf', 'grpc'] as const;

export type TraceExport = {
  readonly protocol: (typeof TRACE_PROTOCOLS)[number];
  readonly sampler: (typeof SAMPLERS)[number];
  /** The share of traces that `traceidratio` samples. */
  readonly ratio: number;
  /** Spans that wait for their export. More are dropped. */
  readonly maxQueued: number;
  readonly maxBatch: number;
  readonly delayMs: number;
  readonly exportTimeoutMs: number;
};
